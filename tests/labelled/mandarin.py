"""Templates of dialogues in Mandarin. What is true is decided here, by what is written, by no engine."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from tests.labelled.script import KEPT, NOT_APPLICABLE, Line, Script

RULES = (
    "greeting", "agent-number", "section-named", "courtesy", "no-shirking", "no-impatience", "no-insult",
    "no-vague-answer", "no-interruption", "speech-rate", "dead-air", "listening", "promise-kept", "anything-else",
    "thanks", "goodbye", "no-dialect",
)  # fmt: skip

_PROBLEMS = (
    "我昨天在车站买了一张去北京的票，回家以后发现日期不对，想改成下个星期一的",
    "我想问一下从上海到杭州的高铁，早上最早一班是几点，票价是多少",
    "我上周把行李忘在车上了，是一个黑色的箱子，里面有电脑和几本书",
    "我要反映一个情况，昨天进站的时候排队排了半个小时，只开了一个口",
    "我家的燃气表不走字了，上个月的账单也不对，想请人来看一下",
    "我的学生票优惠次数用完了，可是我今年一次都没有坐过，这是怎么回事",
)
_ANSWERS = (
    "请您稍等，我帮您查询一下",
    "好的，我已经记录下来了，请您放心",
    "明白了，您的情况我了解了，请您把车次告诉我",
    "对不起，给您带来不便，我马上为您核实",
)
_DETAILS = (
    "车次是G一二三，九月五号上午的车，我在候车室等了很久",
    "我的名字不方便说，就用手机号登记吧，晚上六点以后我都在家",
    "当时工作人员让我打这个电话，说你们这边可以直接处理",
    "我是第一次打这个电话，以前都是去窗口办的",
)
_RESULTS = (
    "查到了，这趟车可以改签，您在开车前到窗口或者手机上都能办理",
    "已经为您登记好了，工作人员会按照规定处理",
    "核实过了，系统里面有您的记录，信息都是对的",
)
_FILLER = (
    ("agent", "改签的时候需要带上身份证，车票还没有取的话在手机上就能完成"),
    ("caller", "好的我记一下，身份证我一直带在身上，手机上我也装了软件"),
    ("agent", "如果新的票价高就补差价，低的话会退到原来付款的卡里"),
    ("caller", "明白了，那退款大概要几个工作日，我用的是银行卡"),
    ("agent", "银行卡一般七个工作日以内到账，节假日会晚一些"),
    ("caller", "行，那我知道了，另外进站的时候还要不要换纸质的票"),
    ("agent", "不需要，直接刷身份证进站，到站以后也是一样"),
    ("caller", "那挺方便的，我父母年纪大了也能这样走吗"),
    ("agent", "可以的，也可以走人工通道，工作人员会帮忙"),
)  # fmt: skip
_AGENTS = ("1001", "2035", "3128", "4170", "5602", "8093")
_SECTIONS = ("咨询受理科", "投诉处理科", "票务服务科", "综合协调科", "客服中心", "铁路客服中心")


def template(number: int, random: Random) -> Script:
    """One dialogue: in order, with up to four things planted in it."""
    script = Script("zh-CN", random.choice(_AGENTS), dict.fromkeys(RULES, KEPT))
    script.truth["promise-kept"] = NOT_APPLICABLE
    if number % 12 == 5:
        _rude(script, random)
        return script
    _ordinary(script, random)
    if number % 12 == 8:
        _listening_not(script, random)
        script.planted.append("listening_not")
        return script
    several = random.sample(_PLANTS, k=random.choice((1, 2, 3, 4, 4)))
    plants = {_PLANTS[number % len(_PLANTS)], *several}
    taken: set[str] = set()
    for plant in sorted(plants, key=_PLANTS.index):
        about = plant.__name__.split("_")[1]
        if about not in taken:  # two that speak of one rule would contradict each other
            taken.add(about)
            script.planted.append(plant.__name__.strip("_"))
            plant(script, random)
    return script


# ── In order ─────────────────────────────────────────────────────────────────────────────────────────────────


def _digits(number: str, random: Random) -> str:
    if random.random() < 0.2:
        return number
    one = random.choice("一幺")
    return "".join(f"零{one}二三四五六七八九"[int(digit)] for digit in number)


def _ordinary(script: Script, random: Random) -> None:
    greeting, section = random.choice(("您好", "早上好", "下午好", "晚上好", "您好")), random.choice(_SECTIONS)
    script.opening = [
        Line("agent", f"工号{_digits(script.agent, random)}，为您服务", 0.0),
        Line("agent", f"{greeting}，{section}，{random.choice(('请问有什么可以帮您', '很高兴为您服务'))}", 0.8),
    ]
    script.middle = [
        Line("caller", random.choice(("您好，", "你好，", "喂，", "")) + random.choice(_PROBLEMS)),
        Line("agent", random.choice(_ANSWERS)),
        Line("caller", random.choice(_DETAILS)),
        *(Line(who, text) for who, text in _FILLER[: random.choice((0, 2, 2, 4))]),
        Line("agent", random.choice(_RESULTS), random.choice((0.6, 2.0, 5.0))),
        Line("caller", random.choice(("好的，谢谢你", "行，我知道了", "那太好了，麻烦你了"))),
    ]
    script.closing = [
        Line("agent", random.choice(("请问您还有其他问题吗", "还有什么可以帮您", "您还有别的需要吗"))),
        Line("caller", random.choice(("没有了", "没有了，谢谢", "就这些"))),
        Line("agent", random.choice(("感谢您的来电", "谢谢您的来电"))),
        Line("agent", random.choice(("再见", "祝您生活愉快，再见", "祝您旅途愉快")), 0.2),
    ]


def _rude(script: Script, random: Random) -> None:
    """Short of every courtesy, and nothing else: 情况 sounds like 请 and is none."""
    script.opening = [Line("agent", f"工号{_digits(script.agent, random)}，客服中心", 0.0)]
    script.middle = [
        Line("caller", random.choice(_PROBLEMS)),
        Line("agent", random.choice(("什么情况，说一下车次", "你把具体情况讲清楚", "说吧，哪一天的票"))),
        Line("caller", random.choice(_DETAILS)),
        Line("agent", random.choice(("这个要到窗口办理，带上身份证", "登记好了，等着处理就行"))),
        Line("caller", "那好吧，我再想想办法，我还想问一下能不能在手机上办"),
        Line("agent", "手机上也能办，打开软件自己点改签"),
    ]
    script.closing = [Line("caller", "哦，好的"), Line("agent", "就这样吧，我挂了")]
    script.broken("greeting", "courtesy", "anything-else", "thanks", "goodbye")
    script.planted.append("rude")


# ── Planted: broken, or nearly so ────────────────────────────────────────────────────────────────────────────


def _greeting_missing(script: Script, random: Random) -> None:
    script.opening[-1] = Line(
        "agent", random.choice(("喂，客服中心，讲", "客服中心，什么事", "这里是客服中心，说吧"))
    )
    script.broken("greeting")


def _greeting_plain(script: Script, _: Random) -> None:
    script.opening[-1] = Line("agent", "你好，铁路客服中心，请讲", 0.8)


def _number_missing(script: Script, _: Random) -> None:
    del script.opening[0]
    script.broken("agent-number")


def _number_wrong(script: Script, random: Random) -> None:
    other = random.choice([number for number in _AGENTS if number != script.agent])
    script.opening[0] = Line("agent", f"工号{_digits(other, random)}，为您服务", 0.0)
    script.broken("agent-number")


def _number_otherwise(script: Script, random: Random) -> None:
    said = f"{_digits(script.agent, random)}号话务员，为您服务"
    script.opening[0] = Line("agent", said, 0.0)


def _greeting_nosection(script: Script, random: Random) -> None:
    script.opening[-1] = Line(
        "agent", random.choice(("您好，请讲", "您好，有什么需要帮忙的", "您好，很高兴为您服务"))
    )
    script.broken("section-named")


def _says(rule: str, good: tuple[str, ...], bad: tuple[str, ...], caller: tuple[str, ...] = ()) -> list[_Plant]:
    """Templates that let the agent say what must not be said; something near it; and the caller say it."""

    def broken(script: Script, random: Random) -> None:
        _insert(script, Line("agent", random.choice(bad)), random)
        script.broken(rule)

    def near(script: Script, random: Random) -> None:
        _insert(script, Line("agent", random.choice(good)), random)

    def by_caller(script: Script, random: Random) -> None:
        _insert(script, Line("caller", random.choice(caller or bad)), random)

    for plant, name in ((broken, "said"), (near, "near"), (by_caller, "caller")):
        plant.__name__ = f"_{rule}_{name}"
    return [broken, broken, near, by_caller]


def _insert(script: Script, line: Line, random: Random) -> None:
    script.middle.insert(random.randrange(2, len(script.middle) + 1), line)


def _interruption_done(script: Script, random: Random) -> None:
    at = len(script.middle)
    script.middle[at:] = [
        Line("caller", "我再说一遍我当时是先到窗口去问的然后窗口的人让我去服务台服务台又让我等"),
        Line(
            "agent", random.choice(("你先等一下我问你票号是多少", "这个我知道了你直接说要怎么办")), 0, over_s=2.0
        ),
    ]
    script.broken("no-interruption")


def _interruption_backchannel(script: Script, random: Random) -> None:
    script.middle += [
        Line("caller", "我再说一遍我当时是先到窗口去问的然后窗口的人让我去服务台服务台又让我等"),
        Line("agent", random.choice(("嗯嗯", "好的好的好的", "是的是的我明白", "嗯嗯对对对")), 0, over_s=2.0),
    ]


def _interruption_tail(script: Script, random: Random) -> None:
    text = "那我就明天上午再去一趟窗口看看"
    script.middle += [
        Line("caller", text),
        Line("agent", "可以的您到了以后找值班站长就行", 0, over_s=0.2 * len(text) - random.uniform(0.0, 0.2)),
    ]


def _interruption_bycaller(script: Script, random: Random) -> None:
    script.middle += [
        Line("agent", "您可以先在手机上提交申请然后我们的工作人员会在后台进行审核"),
        Line(
            "caller", random.choice(("那要是审核不通过呢我怎么办", "可是我手机上找不到这个地方啊")), 0, over_s=2.0
        ),
    ]


def _rate_fast(script: Script, _: Random) -> None:
    _pace(script, 0.62)
    script.broken("speech-rate")


def _rate_slow(script: Script, _: Random) -> None:
    _pace(script, 2.7)
    script.broken("speech-rate")


def _rate_brisk(script: Script, _: Random) -> None:
    _pace(script, 0.9)


def _pace(script: Script, pace: float) -> None:
    for part in (script.opening, script.middle, script.closing):
        part[:] = [
            Line(line.who, line.text, line.gap_s, line.over_s, pace if line.who == "agent" else line.pace)
            for line in part
        ]


def _silence_long(script: Script, random: Random) -> None:
    script.middle += [
        Line("caller", "你那边能看到吗"),
        Line("agent", "能看到了，是有这个记录", random.uniform(18, 40)),
    ]
    script.broken("dead-air")


def _silence_short(script: Script, random: Random) -> None:
    script.middle += [
        Line("caller", "你那边能看到吗"),
        Line("agent", "能看到了，是有这个记录", random.uniform(9, 13.5)),
    ]


def _silence_hold(script: Script, random: Random) -> None:
    script.middle += [
        Line("agent", random.choice(("请您稍等", "请稍等，我去问一下", "您稍等一下"))),
        Line("agent", "让您久等了，问清楚了", random.uniform(20, 50)),
    ]


def _silence_forgotten(script: Script, random: Random) -> None:
    script.middle += [Line("agent", "请您稍等"), Line("agent", "让您久等了", random.uniform(70, 110))]
    script.broken("dead-air")


def _listening_not(script: Script, _: Random) -> None:
    script.middle = [
        Line("caller", "我想改签"),
        *(Line("agent", text, 0.4) for who, text in _FILLER if who == "agent"),
        Line("agent", "请您先听我把规定说完，开车前四十八小时以上可以改签任意车次，不足四十八小时只能改当天的"),
        Line("agent", "开车以后只能改签当天的其他列车，改签以后的票不能再退，请您考虑清楚"),
    ]
    script.closing[1] = Line("caller", "嗯")
    script.broken("listening")


def _promise_kept(script: Script, random: Random) -> None:
    script.middle.append(Line("agent", random.choice(_PROMISES)))
    script.has_callback = True
    script.truth["promise-kept"] = KEPT


def _promise_unbooked(script: Script, random: Random) -> None:
    script.middle.append(Line("agent", random.choice(_PROMISES)))
    script.broken("promise-kept")


def _promise_timeless(script: Script, random: Random) -> None:
    script.middle.append(Line("agent", random.choice(_TIMELESS)))
    script.has_callback = random.random() < 0.5
    script.broken("promise-kept")


_PROMISES = (
    "这件事我们核实以后，三个工作日内给您答复",
    "值班站长不在，明天上午十点之前给您回电话",
    "我把情况转给相关部门，二十四小时以内再联系您",
)
_TIMELESS = (
    "这件事我们核实以后，再给您答复",
    "值班站长不在，等有了消息再联系您",
    "我把情况转给相关部门，到时候给您回电话",
)


def _else_missing(script: Script, _: Random) -> None:
    del script.closing[:2]
    script.broken("anything-else")


def _else_otherwise(script: Script, random: Random) -> None:
    said = random.choice(("请问还有什么需要帮助的吗", "您看还有其他的事情吗", "除了这个还有别的问题吗"))
    script.closing[0] = Line("agent", said)


def _else_early(script: Script, _: Random) -> None:
    script.middle += [Line("agent", "您还有其他问题吗"), Line("caller", "有的，我想再问一下改签怎么办理")]
    script.middle += [Line(who, text) for who, text in (*_FILLER, *_FILLER[:2])]
    del script.closing[:2]
    script.broken("anything-else")


def _thanks_missing(script: Script, random: Random) -> None:
    script.closing[2] = Line("agent", random.choice(("那就这样", "好的，那我这边先挂了")))
    script.broken("thanks")


def _goodbye_missing(script: Script, _: Random) -> None:
    del script.closing[3]
    script.broken("goodbye")


def _goodbye_caller(script: Script, _: Random) -> None:
    script.closing[3] = Line("caller", "好的，再见", 0.4)
    script.broken("goodbye")


def _dialect_used(script: Script, random: Random) -> None:
    _insert(
        script,
        Line("agent", random.choice(("你说的是啥子票", "俺们这里查不到", "侬到窗口去问", "咋个会这样"))),
        random,
    )
    script.broken("no-dialect")


def _dialect_caller(script: Script, random: Random) -> None:
    _insert(script, Line("caller", random.choice(("啥子意思哦", "俺们村里都没得车", "咋个办嘛"))), random)


_Plant = Callable[[Script, Random], None]
# Planted in this order: lines at random places first, what must stay together later, paces last.
_PLANTS: tuple[_Plant, ...] = (
    _greeting_missing, _greeting_plain, _number_missing, _number_wrong, _number_otherwise, _greeting_nosection,
    *_says("no-shirking",
           ("这个归我们管，您放心", "您不用去找别人，我来处理", "现在系统是这样显示的",
            "您可以在网上查，我也可以帮您查"),
           ("这个不归我们管", "你找别人去吧", "你自己上网查吧", "没办法，系统就是这样",
            "这不是我的问题", "你去问别人吧"),
           ("上次那个人说不归我们管", "他们让我自己上网查", "我也没办法才打这个电话")),
    *_says("no-impatience",
           ("您别急，慢慢说", "我会尽快跟您说明的", "让您久等了，刚才线路很忙"),
           ("有完没完", "快点说，后面还有人", "不是跟你说了吗", "你到底要干什么", "你爱投诉就投诉"),
           ("你们怎么这么慢，有完没完", "我很忙的，没有时间等")),
    *_says("no-insult",
           ("不好意思，刚才没有听懂，您再说一遍", "这个地方容易有毛病，我帮您报修"),
           ("你听不懂人话吗", "你是不是神经病", "你有病吧", "你给我闭嘴"),
           ("你们是不是有毛病啊", "真是神经病一样的规定")),
    *_says("no-vague-answer",
           ("不知道您现在方便不方便记一下", "应该是下午三点发车，我确认过了", "这个我能确定"),
           ("我也不确定", "这个我不知道", "可能大概是明天吧", "应该是吧"),
           ("我也不确定是哪一天", "具体几点我不知道")),
    _dialect_used, _dialect_caller,
    _interruption_done, _interruption_done, _interruption_backchannel, _interruption_tail, _interruption_bycaller,
    _silence_long, _silence_short, _silence_hold, _silence_forgotten,
    _promise_kept, _promise_unbooked, _promise_timeless,
    _thanks_missing, _goodbye_missing, _goodbye_caller, _else_missing, _else_otherwise, _else_early,
    _rate_fast, _rate_slow, _rate_brisk,
)  # fmt: skip
