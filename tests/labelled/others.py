"""Templates of dialogues in English and Korean: fewer, to see that rules do not depend on Chinese."""

from __future__ import annotations

from random import Random

from tests.labelled.script import KEPT, Line, Script

_EN_RULES = (
    "greeting", "courtesy", "no-shirking", "no-insult", "no-interruption", "speech-rate", "anything-else",
    "thanks",
)  # fmt: skip
_KO_RULES = ("greeting", "hold", "thanks", "no-complaining", "no-interruption")

_EN_SAID = {
    "no-shirking": ("that is not my problem", "ask somebody else then", "you can look it up yourself"),
    "no-insult": ("are you stupid or what", "oh just shut up", "you idiot listen to me"),
}
_EN_NEAR = {
    "no-shirking": ("if that is not my department i find out who it is", "we look it up for you right now"),
    "no-insult": ("the shop shuts up at five", "there is no stupid question"),
}


def english(number: int, random: Random) -> Script:
    """One dialogue in English."""
    script = Script("en", "1001", dict.fromkeys(_EN_RULES, KEPT))
    script.opening = [
        Line("agent", random.choice(("good morning railway service centre", "hello this is the service")))
    ]
    script.middle = [
        Line("caller", "i bought a ticket to beijing yesterday and the date on it is wrong can i change it"),
        Line("agent", "i am sorry to hear that, please tell me the number of the train"),
        Line("caller", "it is the early train on monday and i would like to take the one on tuesday"),
        Line("agent", "i have found it, you can change it at any window or on your phone before the train leaves"),
    ]
    script.closing = [
        Line(
            "agent", random.choice(("is there anything else i can do for you", "do you have any other questions"))
        ),
        Line("caller", "no that is all"),
        Line("agent", "thank you for calling goodbye"),
    ]
    plants = random.sample(range(7), k=2)
    for plant in sorted({number % 7, *plants}, reverse=True):
        _plant_english(script, plant, random)
    return script


def _plant_english(script: Script, plant: int, random: Random) -> None:
    match plant:
        case 0:
            script.opening = [Line("agent", random.choice(("yes what is it", "railway tickets speak up")))]
            script.broken("greeting")
        case 1 | 2:
            rule = ("no-shirking", "no-insult")[plant - 1]
            if random.random() < 0.6:
                script.middle.append(Line("agent", random.choice(_EN_SAID[rule])))
                script.broken(rule)
            else:
                script.middle.append(Line("agent", random.choice(_EN_NEAR[rule])))
        case 3:
            script.middle.append(
                Line("caller", "the man at the window told me to call you and then i waited for an hour")
            )
            script.middle.append(Line("agent", "stop i asked you for the number of the train", 0, over_s=1.5))
            script.broken("no-interruption")
        case 4:
            script.middle.append(
                Line("caller", "the man at the window told me to call you and then i waited for an hour")
            )
            script.middle.append(Line("agent", "yes i see right right okay", 0, over_s=1.5))
        case 5:
            del script.closing[0]
            script.broken("anything-else")
        case _:
            script.closing[-1] = Line("agent", "okay goodbye")
            script.broken("thanks")
    script.planted.append(f"english_{plant}")


def korean(number: int, random: Random) -> Script:
    """One dialogue in Korean."""
    script = Script("ko", "1001", dict.fromkeys(_KO_RULES, KEPT))
    script.opening = [Line("agent", "안녕하세요 고객센터입니다 무엇을 도와 드릴까요")]
    script.middle = [
        Line("caller", "어제 부산 가는 기차표를 샀는데 날짜를 바꾸고 싶어요 어떻게 하면 되나요"),
        Line("agent", "확인해 보겠습니다 잠시만 기다려 주십시오"),
        Line("caller", "네 알겠습니다 월요일 아침 기차인데 화요일로 바꿔 주세요"),
        Line("agent", "역 창구나 휴대전화로 출발 전까지 변경하실 수 있습니다", 3.0),
    ]
    script.closing = [Line("caller", "네 알겠습니다"), Line("agent", "이용해 주셔서 감사합니다 안녕히 계세요")]
    for plant in sorted({number % 6, *random.sample(range(6), k=1)}):
        _plant_korean(script, plant)
    return script


def _plant_korean(script: Script, plant: int) -> None:
    match plant:
        case 0:
            script.opening = [Line("agent", "여보세요 말씀하세요 무슨 일이에요")]
            script.broken("greeting")
        case 1:
            script.middle[1] = Line("agent", "확인해 보겠습니다 기차 번호를 말씀해 보세요")
            script.broken("hold")
        case 2:
            script.closing[-1] = Line("agent", "그럼 이만 끊겠습니다")
            script.broken("thanks")
        case 3:
            script.middle.append(Line("agent", "저도 가격이 비싸다고 생각합니다"))
            script.broken("no-complaining")
        case 4:
            script.middle.append(
                Line("caller", "가격이 비싸다고 생각합니다 왜 이렇게 비싼가요 작년에는 이렇지 않았어요")
            )
        case _:
            script.middle.append(
                Line("caller", "창구에서 여기로 전화하라고 해서 한 시간이나 기다렸는데 아직도 해결이 안 됐어요")
            )
            script.middle.append(Line("agent", "기차 번호만 먼저 말씀해 주세요 그래야 확인합니다", 0, over_s=1.5))
            script.broken("no-interruption")
    script.planted.append(f"korean_{plant}")
