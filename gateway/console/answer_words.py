"""What the page behind a page's link says, in English and in Traditional Chinese. No drug, no diagnosis, no name."""
# ruff: noqa: RUF001  Chinese has its own commas and colons

from dataclasses import dataclass

from gateway.console.diary_words import words_for as diary_words


@dataclass(frozen=True, slots=True)
class Words:
    """One language. `{}` in a text stands for the name or time that is filled in."""

    lang: str
    priorities: tuple[tuple[str, str], ...]
    recipient: str
    nobody: str
    next_at: str
    yours: str
    theirs: str
    passed: str
    over: str
    nothing_fires: str
    since: str
    left: str
    passed_limit: str
    first: str
    take: str
    take_over: str
    renew: str
    cannot: str
    pump: str
    reload: str
    not_understood: str
    refused: str
    full: str
    too_often: str
    unknown: str


_ENGLISH = Words(
    lang="en",
    priorities=(("high", "HIGH"), ("medium", "MEDIUM"), ("low", "LOW"), ("information", "INFORMATION")),
    recipient="This link is {}'s.",
    nobody="Nobody has it.",
    next_at="The next people are paged at {}.",
    yours="You have it until {}.",
    theirs="{} has it until {}.",
    passed="You passed it on at {}.",
    over="It is over since {}. There is nothing left to do here.",
    nothing_fires="Nothing is wrong any more; it ends when that has lasted.",
    since="since {}",
    left="{} left at worst: the limit of {} without delivery is reached at {}.",
    passed_limit="The limit of {} without delivery is, or may be, passed since {}.",
    first="First",
    take="I have it",
    take_over="I take it over",
    renew="I have it for longer",
    cannot="I cannot: pass it on",
    pump="The pump's own alarm is cleared at the pump only.",
    reload="What stands here was true at {}.",
    not_understood="Nothing was changed: press one of the buttons.",
    refused="Nothing was changed: {}",
    full="Nothing was changed: it cannot be stored now. Try again, or call the ward.",
    too_often="Too many links that lead nowhere came from here. Wait a minute.",
    unknown="This link was never given, or its time is over. Nothing was changed. Use the newest page, or ask the ward.",
)

_CHINESE = Words(
    lang="zh-Hant",
    priorities=(("high", "緊急"), ("medium", "次緊急"), ("low", "非緊急"), ("information", "資訊")),
    recipient="此連結屬於 {}。",
    nobody="尚未有人接手。",
    next_at="{} 會呼叫下一批人。",
    yours="由你負責至 {}。",
    theirs="由 {} 負責至 {}。",
    passed="你已於 {} 轉交。",
    over="已於 {} 結束，這裏再無需要處理的事。",
    nothing_fires="已沒有異常；持續一段時間後便會結束。",
    since="由 {} 起",
    left="最壞情況下只餘 {}：沒有輸注的時限為 {}，{} 到達。",
    passed_limit="沒有輸注的時限為 {}，{} 起已經或可能已超過。",
    first="先做",
    take="我接手",
    take_over="由我接手",
    renew="我繼續負責",
    cannot="我未能處理：轉交他人",
    pump="泵本身的警報只能在泵上解除。",
    reload="以上為 {} 的情況。",
    not_understood="沒有任何改變：請按其中一個按鈕。",
    refused="沒有任何改變：{}",
    full="沒有任何改變：現時無法儲存。請再試，或致電病房。",
    too_often="此處開啟了太多無效連結。請等一分鐘。",
    unknown="此連結無效或已過期，沒有任何改變。請使用最新的訊息，或向病房查詢。",
)


def words_for(accept_language: str) -> Words:
    """The language that the browser likes best of the two; English where it likes neither."""
    return _CHINESE if diary_words(accept_language).lang == _CHINESE.lang else _ENGLISH
