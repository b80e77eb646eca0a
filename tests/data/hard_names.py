"""Names that other systems have stumbled over (R30). All are made up: shapes of names, of no person.

Each is as it is typed, and as it is kept.
"""

# Rare characters: of the basic plane beyond GB 2312, of the extensions A to H, and one that no font of ours has.
_RARE = [
    *(
        "王喆",
        "李堃",
        "陈玥",
        "张昇",
        "赵垚",
        "刘赟",
        "周頔",
        "吴琤",
        "郑犇",
        "孙燚",
        "马龑",
        "钱䶮",
        "冯翀",
        "朱曌",
        "何媜",
    ),
    *(
        "袁珺",
        "邓湉",
        "许旻",
        "曹晳",
        "梁祎",
        "谢勍",
        "傅堉",
        "戴鈊",
        "镕基恺",
        "闫妍",
        "肖闿",
        "冼劼",
        "亓官喆",
        "仉昀",
        "妫晗",
    ),
    *("丁㐂", "宋㛃", "唐㬎", "韩㭎", "彭䒟", "曾䲠", "田䴉", "杜䎃"),
    *("王𠮷", "林𫖯", "郭𬱖", "罗𬭎", "高𬍛", "萧𬘡", "董𪻐", "程𬀩", "沈𠅤", "吕𫟹", "苏𬸚"),
    *("卢𤊾", "蒋𰻝", "蔡𱍊", "余𲎯", "叶鿰", "魏\ue863"),
]
# Names with a dot, in all the ways in which it is typed.
_DOTTED = [
    ("买买提·吐尔逊", "买买提·吐尔逊"),
    ("阿卜杜拉•买买提", "阿卜杜拉·买买提"),
    ("古丽努尔．艾合买提", "古丽努尔·艾合买提"),
    ("迪丽热巴.迪力木拉提", "迪丽热巴·迪力木拉提"),
    ("艾尼瓦尔・库尔班", "艾尼瓦尔·库尔班"),
    ("热依汗‧玉素甫", "热依汗·玉素甫"),
    ("努尔兰 · 叶尔肯", "努尔兰·叶尔肯"),
    ("巴哈古丽∙阿不都", "巴哈古丽·阿不都"),
    ("阿依努尔⋅卡德尔", "阿依努尔·卡德尔"),
    ("木拉提･哈力克", "木拉提·哈力克"),
    ("哈丽娜﹒沙比提", "哈丽娜·沙比提"),
    ("赛力克\u0387胡安", "赛力克·胡安"),
    ("扎西·次仁·卓𠮷", "扎西·次仁·卓𠮷"),
    ("阿卜杜拉·" + "努尔麦麦提" * 9, "阿卜杜拉·" + "努尔麦麦提" * 9),
]
# Pinyin in place of a character, other scripts, spaces, and code points that look like others.
_OTHER = [
    ("王zhe", "王zhe"),
    ("王　小\u3000\u3000明", "王 小 明"),
    ("J. R. Smith", "J. R. Smith"),
    ("Anne-Marie O’Neill", "Anne-Marie O’Neill"),
    ("José Ñáñez", "José Ñáñez"),
    ("Jose\u0301 Pe\u0301rez", "Jose\u0301 Pe\u0301rez"),
    ("Дмитрий Иванов", "Дмитрий Иванов"),
    ("山田はな", "山田はな"),
    ("김민수", "김민수"),
    ("\uf9f4龙", "\uf9f4龙"),
    ("葛\U000e0100城", "葛\U000e0100城"),
    ("欧阳" + "娜" * 48, "欧阳" + "娜" * 48),
]

HARD_NAMES: list[tuple[str, str]] = [(name, name) for name in _RARE] + _DOTTED + _OTHER
