"""My record: what is kept about whoever is signed in, who looked, and what they may say. Nobody sees another's."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_safe

from muniment.account.forms import DisputeForm, MarkForm
from muniment.account.mine import (
    MONTH_DAYS,
    kept_lines,
    look_lines,
    looks_in_words,
    mail_lines,
    needs_listing,
    said_lines,
)
from muniment.account.notice_text import PRIVATE, Dispute, Mark, entry_of
from muniment.account.own_mail import entries_of, listed, own_entry, windows_of
from muniment.account.serving import Acting, Served, acting, served
from muniment.account.streams import states_of
from muniment.account.trail import Trail, trail_of
from muniment.people.moment import LONDON
from muniment.policy.errors import BadInput, Missing
from muniment.record.client import Recorder
from muniment.record.entry import Entry

_SHOWN = 8
_A_PAGE = 50
_FIRST_YEAR, _LAST_YEAR = 1970, 2999


@require_safe
def my_record(request: HttpRequest) -> HttpResponse:
    """Show who looked, what is kept, and the newest of the person's messages."""
    now = datetime.now(LONDON)
    here, me, now_ms = served(), acting(request), _ms(now)
    trail = trail_of(here.home)
    rows = _month(here, me, now)
    looks = _looks(here, me, trail, now_ms)
    mine, disputed = trail.marked_by(me.id), _disputed(trail, me)
    context = {
        "looks": looks,
        "looks_in_words": looks_in_words(looks),
        "kept": kept_lines(states_of(here.policy, now.date()), rows),
        "mail": list(mail_lines(rows[:_SHOWN], mine, disputed, now_ms)),
        "more": max(0, len(rows) - _SHOWN),
        "said": _said(trail, me),
        "marked": len(mine),
        "addresses": [window.address for window in windows_of(me.person, now, now + timedelta(seconds=1))],
    }
    return render(request, "account/my_record.html", context)


@require_safe
def my_mail(request: HttpRequest) -> HttpResponse:
    """List the person's messages of the last month, fifty a page."""
    now = datetime.now(LONDON)
    here, me = served(), acting(request)
    trail, rows = trail_of(here.home), _month(here, me, now)
    first = _first(request, len(rows))
    shown = rows[first : first + _A_PAGE]
    context = {
        "total": len(rows),
        "mail": list(mail_lines(shown, trail.marked_by(me.id), _disputed(trail, me), _ms(now))),
        "first": first + 1,
        "last": first + len(shown),
        "newer": first - _A_PAGE if first else None,
        "older": first + _A_PAGE if first + _A_PAGE < len(rows) else None,
    }
    return render(request, "account/my_mail.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
def my_entry(request: HttpRequest, day: str, index: int) -> HttpResponse:
    """Show one message of the person's own; take a mark or a dispute of it."""
    here, me = served(), acting(request)
    row = own_entry(here.home, me.person, _day(day), index)
    trail = trail_of(here.home)
    is_marked = index in trail.marked_by(me.id)
    dispute = DisputeForm(request.POST if request.method == "POST" and "mark" not in request.POST else None)
    if request.method == "POST":
        if "mark" in request.POST and MarkForm(request.POST).is_valid():
            mark = PRIVATE if not is_marked else ""
            _record(here, me, entry_of(Mark(entry=index, by=me.id, mark=mark)))  # type: ignore[arg-type]
            return redirect("my-entry", day, index)
        if dispute.is_valid():
            said = dispute.cleaned_data
            told = Dispute(by=me.id, entry=index, permit="", ground=said["ground"], text=said["text"])
            _record(here, me, entry_of(told))
            return redirect("my-entry", day, index)
    [line] = mail_lines(
        [row], {index} if is_marked else set(), _disputed(trail, me), _ms(datetime.now(LONDON))
    )
    said_of_it = [each for each in _own(trail, me) if each.dispute.entry == index]
    context = {"line": line, "dispute": dispute, "said": said_lines(said_of_it, _answers(trail))}
    return render(request, "account/my_entry.html", context, status=400 if dispute.errors else 200)


@require_http_methods(["GET", "HEAD", "POST"])
def my_look(request: HttpRequest, number: str) -> HttpResponse:
    """Show what the person may know of the looks under one permit; take a question about it."""
    here, me = served(), acting(request)
    trail = trail_of(here.home)
    looks = _looks(here, me, trail, _ms(datetime.now(LONDON)))
    line = next((each for each in looks if each.permit == number), None)
    if line is None:
        raise Missing("nothing is known to you of looks under that permit; look at My record")
    dispute = DisputeForm(request.POST or None, initial={"ground": "look"})
    if request.method == "POST" and dispute.is_valid():
        said = dispute.cleaned_data
        told = Dispute(by=me.id, entry=None, permit=number, ground=said["ground"], text=said["text"])
        _record(here, me, entry_of(told))
        return redirect("my-look", number)
    said_of_it = [each for each in _own(trail, me) if each.dispute.permit == number]
    context = {"line": line, "dispute": dispute, "said": said_lines(said_of_it, _answers(trail))}
    return render(request, "account/my_look.html", context, status=400 if dispute.errors else 200)


def _looks(here: Served, me: Acting, trail: Trail, now_ms: int) -> list[Any]:
    return look_lines(
        me.id,
        trail.history.permits.values(),
        trail.looks,
        lambda permit: entries_of(here.home, permit, me.id) if needs_listing(permit, me.id) else None,
        {officer.id: officer for officer in here.policy.officers},
        now_ms,
    )


def _month(here: Served, me: Acting, now: datetime) -> list[Any]:
    since = now - timedelta(days=MONTH_DAYS)
    return listed(here.home, me.person, since, now)


def _own(trail: Trail, me: Acting) -> list[Any]:
    return [each for each in trail.disputes if each.dispute.by == me.id]


def _disputed(trail: Trail, me: Acting) -> set[int]:
    return {each.dispute.entry for each in _own(trail, me) if each.dispute.entry is not None}


def _answers(trail: Trail) -> dict[int, tuple[int, str]]:
    return {index: (at_ms, answer.text) for index, (at_ms, answer) in trail.answers.items()}


def _said(trail: Trail, me: Acting) -> list[Any]:
    return said_lines(_own(trail, me), _answers(trail))


def _record(here: Served, me: Acting, entry: Entry) -> None:
    trail_of(here.home).require_few(me.id, _ms(datetime.now(LONDON)))
    with Recorder(here.home.socket) as recorder:
        recorder.append([entry])


def _first(request: HttpRequest, count: int) -> int:
    text = request.GET.get("first", "0")
    first = int(text) if text.isascii() and text.isdigit() and len(text) < 8 else 0
    return first if first < count else 0


def _day(text: str) -> datetime:
    try:
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=LONDON)
    except ValueError:
        day = None
    if day is None or not _FIRST_YEAR <= day.year <= _LAST_YEAR:
        raise BadInput(f"{text[:20]!r} is no day of mail; expected, for instance, 2026-11-24")
    return day


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
