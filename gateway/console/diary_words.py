"""What the diary page says, in English and in Traditional Chinese. No drug, no diagnosis, no name."""
# ruff: noqa: RUF001  Chinese has its own commas, colons and brackets

import re
from dataclasses import dataclass

ENGLISH, CHINESE = "en", "zh-Hant"


@dataclass(frozen=True, slots=True)
class Words:
    """One language. `{}` in a text stands for the number or time that is filled in."""

    lang: str
    title: str
    emergency: str
    temperature: str
    handwriting: str
    sentence: str
    same: str
    changed: str
    feeling: str
    writer: str
    patient: str
    caregiver: str
    send: str
    noted: str
    thanks: str
    again: str
    today: str
    nothing_today: str
    said_same: str
    said_changed: str
    nothing_entered: str
    not_a_number: str
    fahrenheit: str
    implausible: str
    too_long: str
    refused: str
    full: str
    too_often: str
    unknown: str


_ENGLISH = Words(
    lang="en",
    title="Diary",
    emergency=(
        "Nobody answers on this page. If you feel unwell, or the pump alarms, call the ward. In an emergency call an ambulance."
    ),
    temperature="Temperature (°C)",
    handwriting="Handwriting",
    sentence="Please write the same sentence as every day, and compare.",
    same="the same",
    changed="changed",
    feeling="How do you feel?",
    writer="Who is writing?",
    patient="the patient",
    caregiver="the caregiver",
    send="Send",
    noted="Noted at {}:",
    thanks="Thank you. The ward can see it.",
    again="Write another entry",
    today="In the diary today",
    nothing_today="Nothing yet.",
    said_same="handwriting the same",
    said_changed="handwriting changed",
    nothing_entered="Nothing was entered. Fill in at least one line.",
    not_a_number="“{}” is not a temperature. Write it like 37.2.",
    fahrenheit="{} looks like Fahrenheit. Please enter degrees Celsius.",
    implausible="{} °C is not a body temperature. Please measure again.",
    too_long="That is too long: at most 500 characters.",
    refused="It was not noted: {}",
    full="It could not be stored just now. Please try again in a few minutes, or call the ward.",
    too_often="Too many requests. Please wait a while and try again; if it is urgent, call the ward.",
    unknown="There is no diary here. Please open the newest link that the ward gave you, or call the ward.",
)

_CHINESE = Words(
    lang="zh-Hant",
    title="日誌",
    emergency="此頁面不會有人即時回覆。如感到不適或泵發出警報，請致電病房。緊急時請召救護車。",
    temperature="體溫（°C）",
    handwriting="字跡",
    sentence="請寫下與每天相同的句子，並作比較。",
    same="沒有改變",
    changed="有改變",
    feeling="您感覺如何？",
    writer="由誰填寫？",
    patient="病人",
    caregiver="照顧者",
    send="送出",
    noted="已於 {} 記錄：",
    thanks="多謝。病房可以看到。",
    again="再寫一項",
    today="今天的日誌",
    nothing_today="尚未有記錄。",
    said_same="字跡沒有改變",
    said_changed="字跡有改變",
    nothing_entered="沒有填寫任何內容。請至少填寫一項。",
    not_a_number="「{}」不是體溫。請按 37.2 的格式填寫。",
    fahrenheit="{} 似乎是華氏度。請填寫攝氏度。",
    implausible="{} °C 不是體溫。請再量一次。",
    too_long="內容太長：最多 500 字。",
    refused="未能記錄：{}",
    full="暫時未能儲存。請過幾分鐘再試，或致電病房。",
    too_often="請求太多。請稍後再試；如有緊急情況，請致電病房。",
    unknown="這裏沒有日誌。請開啟病房給您的最新連結，或致電病房。",
)

_PART = re.compile(r"\s*([A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8})*|\*)\s*(?:;\s*q=([01](?:\.\d{0,3})?)\s*)?")


def words_for(accept_language: str) -> Words:
    """The language that the browser likes best of the two; English where it likes neither. All Chinese gets one script."""
    best, liking = _ENGLISH, 0.0
    for part in accept_language[:500].split(","):
        match = _PART.fullmatch(part)
        if match is None:
            continue
        how_much = float(match[2] or 1)
        name = match[1].lower().partition("-")[0]
        if how_much > liking and name in ("zh", "yue", "en"):
            best, liking = (_ENGLISH if name == "en" else _CHINESE), how_much
    return best
