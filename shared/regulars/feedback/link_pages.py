"""The few pages a shopper sees on our domain, in English and Chinese: no script, no picture, no outside address."""

from __future__ import annotations

from string import Template

_FRAME = Template("""<!doctype html>
<html lang="$language"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title><style>
body{margin:0;background:#f4f1ec;color:#22201d}
body,button{font:17px/1.6 -apple-system,"Segoe UI",Roboto,"PingFang SC","Microsoft YaHei",sans-serif}
main{max-width:440px;margin:12vh auto;padding:36px 28px;background:#fff;border-radius:14px}
h1{font-size:25px;line-height:1.3;margin:0 0 12px}p{margin:0 0 20px;color:#3d3a36}
button{width:100%;padding:14px;border:0;border-radius:10px;font-weight:700;cursor:pointer;margin:0 0 12px}
.first{background:#b4532a;color:#fff}.second{background:#ece7df;color:#22201d}
</style></head><body><main><h1>$title</h1><p>$text</p>$form</main></body></html>
""")
_FORM = Template("""<form method="post"><button class="first" name="scope" value="channel">$one</button>
<button class="second" name="scope" value="all">$all</button></form>""")

_WORDS = {
    "en": {
        "ask": "Unsubscribe?",
        "ask_text": "You will get no more offers by $channel. News about your orders still comes.",
        "one": "Unsubscribe from $channel",
        "all": "Unsubscribe from everything",
        "done": "You are unsubscribed",
        "done_text": "You will get no more offers by $channel, from now on.",
        "done_all_text": "You will get no more offers from us on any channel, from now on.",
        "lost": "This link is not valid",
        "lost_text": "It may be incomplete or too old. Nothing has been changed.",
        "email": "e-mail",
        "push": "push message",
        "sms": "text message",
        "inapp": "in-app message",
    },
    "zh": {
        "ask": "确认退订？",
        "ask_text": "退订后，您将不再收到我们通过$channel发送的优惠信息；订单通知不受影响。",
        "one": "退订$channel",
        "all": "退订全部营销消息",
        "done": "退订成功",
        "done_text": "即刻起，您不会再收到我们通过$channel发送的优惠信息。",
        "done_all_text": "即刻起，您不会再收到我们任何渠道的优惠信息。",
        "lost": "链接无效",
        "lost_text": "链接可能不完整或已过期，未做任何更改。",
        "email": "邮件",
        "push": "推送",
        "sms": "短信",
        "inapp": "应用内消息",
    },
}


def language(wanted: str) -> str:
    """`zh` for any tag or Accept-Language that begins with it, else English."""
    return "zh" if wanted.strip().lower().startswith("zh") else "en"


def ask(language: str, channel: str) -> str:
    """The question with its two buttons; they post to the page's own address."""
    return _page(language, "ask", "ask_text", channel, form=True)


def done(language: str, channel: str, *, everything: bool) -> str:
    """What has been changed."""
    return _page(language, "done", "done_all_text" if everything else "done_text", channel)


def not_found(language: str) -> str:
    """For a token that is not ours or has run out."""
    return _page(language, "lost", "lost_text", "email")


def _page(language: str, title: str, text: str, channel: str, *, form: bool = False) -> str:
    """All words are ours: a channel without a name here is shown as e-mail, nothing of the request is ever repeated."""
    words = _WORDS[language]
    name = words.get(channel, words["email"])
    buttons = _FORM.substitute({key: Template(words[key]).substitute(channel=name) for key in ("one", "all")}) if form else ""
    said = Template(words[text]).substitute(channel=name)
    return _FRAME.substitute(language=language, title=words[title], text=said, form=buttons)
