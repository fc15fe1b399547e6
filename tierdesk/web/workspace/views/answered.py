"""What people answer to a page by SMS or on the telephone, as the provider tells it, signed by the account.

Only a number that is proved to be somebody's acknowledges by SMS, and only what the newest message there was about;
a call acknowledges what it was about. A signature is no guard against a replay; that a page acts once is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import wraps

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_POST

from tierdesk.channels.pager import voice
from tierdesk.channels.pager.outgoing import link
from tierdesk.channels.phone import twilio
from tierdesk.core import clock
from tierdesk.core.facts import ENGINE
from tierdesk.core.scope import EVERY_CLIENT, seeing
from tierdesk.core.work import work
from tierdesk.response.paging import answers
from tierdesk.response.paging.pages import Page, Pages
from tierdesk.response.paging.ways import SMS

type View = Callable[..., HttpResponse]


def _from_the_provider(view: View) -> View:
    """Signed over the address as the provider knows it; a machine has no page to get a token from."""

    @wraps(view)
    def answer(request: HttpRequest, *args: str, **named: str) -> HttpResponse:
        fields = {name: request.POST.getlist(name) for name in request.POST}
        url = settings.BASE_URL + request.get_full_path()
        signature = request.headers.get("X-Twilio-Signature", "")
        if not twilio.is_signed(url, fields, signature, settings.TWILIO_AUTH_TOKEN):
            return HttpResponse(status=401)
        with seeing(EVERY_CLIENT):
            return view(request, *args, **named)

    return csrf_exempt(require_POST(answer))


@_from_the_provider
def sms(request: HttpRequest) -> HttpResponse:
    mine = _sent_to(request.POST.get("From", ""))
    answer = replace(answers.read(request.POST.get("Body", "")), is_meant=True)
    pages = answers.waiting(mine, answer.numbers)
    if not pages and not mine.exists():
        return _twiml(voice.say())  # a number that nobody proved is told nothing
    with work(by=pages[0].agent.actor() if pages else ENGINE, at=clock.now()):
        said = answers.reply(mine, answer, clock.now())
    return _twiml(voice.message(said) if said else voice.say())


@_from_the_provider
@sensitive_variables("token")
def call(request: HttpRequest, token: str) -> HttpResponse:
    """The call was taken: what it is about."""
    return _twiml(_asked(_called(token)))


@_from_the_provider
@sensitive_variables("token")
def key(request: HttpRequest, token: str) -> HttpResponse:
    """A key was pressed."""
    page = _called(token)
    pages = _acting(page)
    digit = request.POST.get("Digits", "")
    if not pages or digit not in (voice.ACKNOWLEDGE, voice.PASS_ON):
        return _twiml(_asked(page, before=_("This key does nothing here.")))
    act = answers.acknowledge if digit == voice.ACKNOWLEDGE else answers.pass_on
    with work(by=page.agent.actor(), at=clock.now()):
        said = act(pages)
    return _twiml(voice.say(said))


@_from_the_provider
@sensitive_variables("token")
def end(request: HttpRequest, token: str) -> HttpResponse:
    """The call is over; one that nobody took has reached nobody."""
    why = voice.NOT_TAKEN.get(request.POST.get("CallStatus", ""))
    if why:
        with work(by=ENGINE, at=clock.now()):
            for page in _called(token).message():
                page.miss(why)
    return HttpResponse(status=204)


def _sent_to(number: str) -> Pages:
    """What was sent by SMS to a number that is proved to be its person's."""
    return Page.objects.filter(
        channel=SMS,
        address=number,
        agent__ways__kind=SMS,
        agent__ways__address=number,
        agent__ways__verified_at__isnull=False,
    )


def _called(token: str) -> Page:
    page = Page.by_token(token)
    if page is None:
        raise Http404
    return page


def _acting(page: Page) -> list[Page]:
    return [one for one in page.message() if one.can_act]


def _asked(page: Page, *, before: str = "") -> str:
    pages = _acting(page)
    if not page.is_theirs:
        return voice.say(_("This is the service desk. You do not serve this client any more. Goodbye."))
    if not pages:
        return voice.say(_("This is the service desk. Nobody needs to look any more. Goodbye."))
    return voice.ask(pages, key_to=f"{link(page)}voice/key/", before=before)


def _twiml(said: str) -> HttpResponse:
    return HttpResponse(said, content_type="text/xml")
