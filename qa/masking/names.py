"""Names of people: after a title, before one, or where somebody introduces themselves."""

from __future__ import annotations

import re
from collections.abc import Iterator

_SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜"
    "崔钟谭陆汪范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤温康施文牛樊"
    "葛邢安齐易乔伍庞颜倪庄聂章鲁岳翟殷詹申欧耿关兰焦俞左柳甘祝包宁尚符舒阮柯纪梅童凌毕单季裴霍涂成苗谷盛曲翁冉"
    "骆蓝路游辛靳管柴蒙鲍华喻祁蒲房滕屈饶解牟艾尤阳时穆农司卓古吉缪简车项连芦麦褚娄窦戚岑景党宫费卜冷晏席卫米柏宗"
    "張劉陳楊黃趙吳孫馬羅鄭許韓馮鄧蕭袁潘於蔣葉蘇呂盧鐘鍾譚陸範賈韋鄒熊閆龍賀顧龔萬錢嚴湯溫齊喬龐顏莊聶魯歐關蘭寧紀"
    "畢單塗駱藍游華饒陽時農簡車項連蘆麥婁竇黨宮費衛鄔"
)
_COMPOUND = (
    "欧阳|歐陽|上官|司马|司馬|诸葛|諸葛|夏侯|皇甫|尉迟|公孙|慕容|令狐|司徒|司空|长孙|宇文|东方|南宫|西门|百里"
)
_SURNAME = rf"(?:{_COMPOUND}|[{_SURNAMES}])"
_HAN = r"[\u3400-\u9fff]"
_TITLE = (
    "先生|女士|小姐|师傅|師傅|老师|老師|经理|經理|主任|大爷|大爺|大妈|大媽|阿姨|叔叔|同志|太太|大姐|大哥|医生|醫生|"
    "大夫|警官|律师|律師|教授|站长|站長|主管|队长|科长|处长|老板|女仕"
)
_NOT_GIVEN = r"(?![是的在吗嗎呢吧啊呀了和跟给給想要有买買这這那我你您他她说說对對不就])"
_GIVEN = rf"{_NOT_GIVEN}{_HAN}"
_END = r"(?=$|[^\u3400-\u9fff]|[是的在吗嗎呢吧啊呀了和跟给給想要有买買这這我你您他她说說对對不就电電手身先女小])"

_PATTERNS = (
    re.compile(rf"(?P<name>(?!谢谢(?:{_TITLE})|(?<=谢)谢(?:{_TITLE})|司机){_SURNAME}{_HAN}{{0,2}}?)(?:{_TITLE})"),
    re.compile(
        rf"(?:我叫|名字叫|名字是|名叫|叫做|姓名是|姓名叫|姓名为|姓名為|姓名[:：\s]*|联系人[是叫为:：]?|聯繫人[是叫為:：]?|"
        rf"乘车人[是叫为:：]?|乘車人[是叫為:：]?|收件人[是叫为:：]?|乘客[是叫]|持卡人[是叫]?|户名[是叫]?)"
        rf"(?:嗯|呃|啊|那个|那個|是|\s)*(?P<name>{_SURNAME}{_GIVEN}(?:{_GIVEN})?|{_SURNAME}|{_GIVEN}{{2,3}})"
    ),
    re.compile(rf"(?:我是|本人是?|这里是|這裡是)(?P<name>{_SURNAME}{_GIVEN}(?:{_GIVEN})?){_END}"),
    re.compile(rf"(?:贵姓|貴姓|姓)(?:嗯|呃|是|\s)*(?P<name>{_SURNAME})"),
    re.compile(
        r"(?:이름은|성함은|저는)\s*(?P<name>[김이박최정강조윤장임한오서신권황안송류전홍고문양손배백허유남심노하곽성차주우구][가-힣]{1,2}?)"
        r"(?=입니다|이에요|예요|이고|라고|\s|$)"
    ),
    re.compile(r"(?P<name>[김이박최정강조윤장임한오서신권황안송류전홍][가-힣]{1,2})\s?(?:씨|고객님)"),
)
_STOP = frozenset(
    (
        "and i my the a an is are was to for of on in at from with it that this but so please calling here "
        "speaking phone number you your can will would want need have has not what who where when how yes no "
        "thank thanks very sir madam one two three four five six seven eight nine zero sorry just looking sure "
        "afraid going trying about wrong correct okay"
    ).split()
)
_ENGLISH = (
    (re.compile(r"\b(?:mr|mrs|ms|miss|mister|missus|dr|doctor|madam)\b\.?\s+", re.IGNORECASE), 2, False),
    (
        re.compile(r"\b(?:my name is|my name's|the name is|i am called|name is|passenger is)\s+", re.IGNORECASE),
        3,
        True,
    ),
)
_WORD = re.compile(r"\s*([A-Za-z][A-Za-z'’-]*)")
_NO_NAME = frozenset(
    ("谢谢", "高铁", "高鐵", "谢谢这位", "方便", "任何", "单位", "成为", "时候", "于是", "向这位", "安检", "车站")
)


def names(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of every name; they may overlap."""
    for pattern in _PATTERNS:
        at = 0
        while found := pattern.search(text, at):
            if found["name"] not in _NO_NAME:
                yield found.span("name")
            at = found.start("name") + 1
    for before, most, any_case in _ENGLISH:
        for found in before.finditer(text):
            end = _english(text, found.end(), most, any_case)
            if end > found.end():
                yield found.end(), end


def _english(text: str, at: int, most: int, any_case: bool) -> int:
    """Where the name ends that begins at ``at``; there if there is none. A second name is written large."""
    for place in range(most):
        word = _WORD.match(text, at)
        if word is None or word[1].lower() in _STOP or (place and not any_case and word[1][0].islower()):
            return at
        at = word.end()
    return at
