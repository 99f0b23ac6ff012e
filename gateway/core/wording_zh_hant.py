"""Pages in Traditional Chinese, as a Hong Kong ward writes it. A message holds 70 characters, so every one counts.

A draft of engineers: whoever approves a ward's protocol approves these words too (`dripwatch page preview --locale zh-Hant`).
"""

import re
from collections.abc import Callable, Mapping
from datetime import datetime

from gateway.core.wording import Wording
from gateway.core.wording_en import SETTINGS, is_near
from gateway.domain.words import Condition, Priority, WhyPaged

_WEEKDAYS = "一二三四五六日"

_KINDS: Mapping[str, str] = {
    Condition.OCCLUSION_DOWNSTREAM: "下游堵塞",
    Condition.OCCLUSION_UPSTREAM: "上游堵塞",
    Condition.OCCLUSION: "管路堵塞",
    Condition.AIR_IN_LINE: "管路有氣泡",
    Condition.DOOR_OPEN: "泵門打開",
    Condition.CASSETTE_DETACHED: "輸液匣鬆脫",
    Condition.RESERVOIR_EMPTY: "藥袋已空",
    Condition.RESERVOIR_LOW: "藥液將盡",
    Condition.INFUSION_COMPLETE: "輸注完畢",
    Condition.NEAR_END: "輸注將完",
    Condition.BATTERY_LOW: "電量低",
    Condition.BATTERY_DEPLETED: "電池耗盡",
    Condition.BATTERY_FAULT: "電池故障",
    Condition.UNDER_INFUSION: "輸注不足",
    Condition.OVER_INFUSION: "輸注過量",
    Condition.FREE_FLOW: "藥液自流",
    Condition.STOPPED_UNATTENDED: "停泵未理",
    Condition.SYSTEM_FAULT: "輸液泵故障",
    Condition.TEMPERATURE: "溫度異常",
    Condition.COMMUNICATION: "通訊故障",
    Condition.OTHER: "其他警報",
}
_SETTINGS: Mapping[str, str] = {
    "alarm volume": "警報音量",
    "bolus": "追加劑量",
    "clock": "時鐘",
    "date": "日期",
    "display": "顯示",
    "keypad lock": "鍵鎖",
    "kvo rate": "KVO速率",
    "language": "語言",
    "lock code": "鎖碼",
    "near end": "將完提示",
    "power": "電源",
    "pressure": "壓力",
    "pressure limit": "壓力上限",
    "time": "時間",
    "volume": "容量",
    "volume limit": "容量上限",
}
_UNITS = {"d": "日", "h": "小時", "min": "分鐘", "s": "秒"}
_DURATION = r"\d+ (?:d|h|min|s)(?: \d+ (?:h|min|s))?"
_DEVICE = r"[a-z0-9-]+"


def lasted(duration_ms: int) -> str:
    """`1小時30分鐘`: the two largest units, rounded down."""
    seconds = duration_ms // 1_000
    if seconds < 60:
        return f"{seconds}秒"
    minutes, hours, days = seconds // 60, seconds // 3_600, seconds // 86_400
    if hours == 0:
        return f"{minutes}分" + (f"{seconds % 60}秒" if minutes < 10 and seconds % 60 else "鐘")
    if days < 2:
        return f"{hours}小時" + (f"{minutes % 60}分鐘" if minutes % 60 else "")
    return f"{days}日" + (f"{hours % 24}小時" if hours % 24 else "")


def clock(then: datetime, today: datetime) -> str:
    """`13:05` today, `周一13:05` within six days, else `3月9日13:05`; with the year where it is another."""
    if then.date() == today.date():
        return f"{then:%H:%M}"
    if is_near(then, today):
        return f"周{_WEEKDAYS[then.weekday()]}{then:%H:%M}"
    year = "" if then.year == today.year else f"{then.year}年"
    return f"{year}{then.month}月{then.day}日{then:%H:%M}"


def _duration(said: str) -> str:
    """`1 h 30 min` as `1小時30分鐘`."""
    words = said.split()
    return "".join(number + _UNITS[unit] for number, unit in zip(words[::2], words[1::2], strict=True))


def _setting(match: re.Match[str]) -> str:
    name = match["name"] or ""
    return f"設定被更改（{_SETTINGS[name]}）" if name in SETTINGS else "設定被更改"


# (what a finding says in English, the same in Chinese); a finding that says something else has no translation
_DETAILS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = tuple(
    (re.compile(pattern, re.DOTALL), said)
    for pattern, said in (
        (rf"(\d+) %, by its own fall ({_DURATION}) left", lambda m: f"{m[1]}%，按耗電尚餘{_duration(m[2])}"),
        (rf"(\d+) %, by the maker's figure ({_DURATION}) left", lambda m: f"{m[1]}%，按廠方數字尚餘{_duration(m[2])}"),
        (r"change due", lambda _: "逾時未換"),
        (r"past its expiry", lambda _: "已過期"),
        (r"(\d+) times", lambda m: f"{m[1]}次"),
        (_DURATION, lambda m: _duration(m[0])),
        (r"(\S+) instead of (\S+) mL/h", lambda m: f"{m[1]}，應為{m[2]} mL/h"),
        (r"(\d+) %", lambda m: f"{m[1]}%"),
        (r"\d+(?:\.\d)?", lambda m: m[0]),
        (r"unlocked", lambda _: "已解鎖"),
        (rf"clock moved by ({_DURATION})", lambda m: f"時鐘被調{_duration(m[1])}"),
        (r"settings changed(?: \((?P<name>.*)\))?", _setting),
        (r"delivers", lambda _: "正在輸注"),
        (r"alarm ([a-z ]+)", lambda m: _KINDS.get(m[1].replace(" ", "-"), "警報")),
        (r"(\d+) of (\d+)", lambda m: f"{m[1]}/{m[2]}"),
        (r"(\d+) of (\d+) messages", lambda m: f"{m[1]}/{m[2]}則訊息"),
        (rf"(\d+) of (\d+) messages of ({_DEVICE})", lambda m: f"{m[3]}有{m[1]}/{m[2]}則訊息"),
    )
)


def detail(said: str) -> str | None:
    """The figures of a finding in Chinese; None for what no rule of ours says."""
    if not said:
        return ""
    return next((words(match) for pattern, words in _DETAILS if (match := pattern.fullmatch(said))), None)


CHINESE = Wording(
    priorities={
        Priority.HIGH: "緊急",
        Priority.MEDIUM: "次緊急",
        Priority.LOW: "非緊急",
        Priority.INFORMATION: "資訊",
    },
    opening="{priority} {subject}{lead}：",
    leads={
        WhyPaged.STAFFING_GAP: " 無人當值",
        WhyPaged.LEASE_ENDED: " 仍未解決，由你跟進",
        WhyPaged.MILESTONE: " 仍未解決",
        WhyPaged.SILENCE_ENDED: " 靜音已過，仍未解決",
        WhyPaged.RAISED: " 惡化",
        WhyPaged.NEW_ALERT: " 新問題",
        WhyPaged.ESCALATED: " 轉交給你",
    },
    window_over=" 預定時段已過，仍未解決",
    causes={
        "user": "手動停止",
        "clinician": "醫護停止",
        "alarm": "泵警報",
        "kvo": "只維持KVO",
        "powered-off": "已關機",
        "between-doses": "兩劑之間",
        "unspecified": "原因不明",
        "stopped": "原因不明",
        "silence": "收不到泵訊號",
        "unsaid": "泵沒有報告輸注",
        "scale stands": "泵無訊號、藥袋未變輕",
    },
    kinds=_KINDS,
    joined="{course} {said}",
    about="約{at}",
    between="；",
    more="；另{count}項",
    end="。",
    limit_at="{at}達{limit}上限。",
    limit_perhaps="或已逾{limit}上限。",
    limit_past="已逾{limit}：{then}。",
    limit_bare="已逾{limit}。",
    reply="回覆{code}接手",
    over="{subject} 已解決，歷時{lasted}",
    closed="{subject} 已由{who}結案，歷時{lasted}",
    was="：原為{said}",
    stopped="。共停{stopped}，已逾{limit}：{then}",
    over_end="。",
    reminder="{subject}：今日日記未有記錄。請量度體溫，寫下每日同一句子，並輸入兩項。",
    unreachable="{site}：再不能通知{person}。對方以STOP停用了最後的聯絡方式{transport}。請致電對方，或更改當值人員。",
    test="測試：Dripwatch {site} {at} 測試傳呼是否送達。沒有泵需要處理，毋須回覆。",
    answers={
        "taken": "{subject}：由你跟進至{until}{before}。泵警報只能在泵上解除。",
        "before": "（原由{who}跟進至{until}）",
        "over": "{subject}：該事件已結束，沒有任何更改。",
        "not-understood": "未能理解。請回覆通知上的代碼以接手。",
        "no-such-code": "沒有代碼{code}的通知。",
        "none-open": "你沒有未處理的通知。",
        "several-open": "你有{count}項未處理的通知：請回覆其中一項的代碼。",
        "ended-just-now": "一項剛結束，另一項未處理：{subject}。回覆{code}接手。",
        "stopped": "不再以{transport}通知你，只用{rest}。回覆START恢復。",
        "stopped-last": "不再通知你：{transport}是最後的聯絡方式。{others}回覆START恢復。",
        "others-told": "已告知{people}。",
        "started": "重新以{transport}通知你。回覆STOP停止。",
        "stopped-already": "本已不以{transport}通知你，沒有更改。回覆START恢復。",
        "started-already": "本已以{transport}通知你，沒有更改。",
    },
    lasted=lasted,
    clock=clock,
    detail=detail,
)
