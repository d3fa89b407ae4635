"""People and badges: who works in the plant, by which badge, with which PIN and language, and what they may do.

Leaders keep the badges, PINs and languages of their people; administrators add people and give roles.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as mark
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from jitapp.accounts.models import Person
from jitapp.kanban.names import folded
from jitapp.kanban.vocabulary import Role
from jitapp.plant import staff
from jitapp.plant.belonging import roles_of
from jitapp.plant.models import Membership, Plant, UnknownBadge
from jitapp.web.calls import members
from jitapp.web.leading import ADMINS, led_plant, led_plants
from jitapp.web.visit import people, posted_name

ROLE_WORDS = {
    Role.OPERATOR: mark("Operator"),
    Role.HANDLER: mark("Material handler"),
    Role.LEADER: mark("Leader"),
    Role.PLANNER: mark("Planner"),
    Role.BUYER: mark("Buyer"),
    Role.QUALITY: mark("Quality"),
    Role.SUPPLIER: mark("Supplier"),
    Role.ADMIN: mark("Administrator"),
}
# Why it could not be saved; the codes are those of jitapp/plant/staff.py.
REFUSAL_TEXT = {
    "not_yours": mark("You may not change that of this person. An administrator of all their plants may."),
    "name_missing": mark("Give a name of at most 120 characters."),
    "username_bad": mark("A user name has letters, digits, dot, dash, underscore, plus and @; at most 60."),
    "username_taken": mark("Somebody is called so already, by user name or badge. Choose another."),
    "badge_taken": mark("Somebody else has this badge already. Take it from them first."),
    "badge_long": mark("A badge has at most 64 characters."),
    "language_unknown": mark("Choose one of the languages."),
    "pin_bad": mark("A PIN has 4 to 8 digits, neither all the same nor in order."),
    "roles_missing": mark("Tick at least one role: what the person may do."),
    "own_role": mark("You cannot end your own account or administration. Ask another administrator."),
}
MOST = 500


@dataclass(frozen=True, slots=True)
class Line:
    """A person in the list."""

    person: Person
    roles: str
    has_pin: bool


@require_GET
@people
def people_page(request: HttpRequest) -> HttpResponseBase:
    """The people of the plants that the viewer leads, and the badges that nobody has."""
    plants = led_plants(request)
    wanted = request.GET.get("q", "").replace("\0", "")[:64]
    found = _found(plants, wanted)
    context = {
        "leads": bool(plants),
        "administers": bool(led_plants(request, ADMINS)),
        "lines": found[:MOST],
        "more": len(found) > MOST,
        "q": wanted,
        "unknown": UnknownBadge.objects.filter(plant__in=plants)
        .select_related("plant", "device")
        .order_by("-last_at"),
    }
    return render(request, "persons/page.html", context)


@require_http_methods(["GET", "HEAD", "POST"])
@people
def person_page(request: HttpRequest, person: UUID) -> HttpResponseBase:
    """GET shows one person; POST saves what one of the forms says (`do`: save, pin, no-pin, roles)."""
    plants = led_plants(request)
    found = Person.objects.filter(uuid=person, memberships__plant__in=plants).distinct().first()
    if found is None:
        raise Http404
    actor, problem = _actor(request), ""
    if request.method == "POST":
        try:
            said = _done(request, actor, found)
        except staff.StaffRefused as why:
            if str(why) == "not_yours":
                raise PermissionDenied from None
            problem = gettext(REFUSAL_TEXT[str(why)])
        else:
            messages.success(request, said)
            return redirect("person", person)
    rights, roles = staff.rights_over(actor, found), roles_of(found.pk)
    context = {
        "one": found,
        "rights": rights,
        "problem": problem,
        "languages": settings.LANGUAGES,
        "plants": [
            (
                plant,
                [(role.value, gettext(ROLE_WORDS[role]), role in roles.get(plant.pk, ())) for role in Role],
            )
            for plant in plants
            if plant.pk in rights.roles
        ],
        "roles": _said(roles.get(plant.pk, frozenset()) for plant in plants),
        "typed": {
            field: request.POST.get(field, kept) if problem else kept
            for field, kept in (
                ("name", found.name),
                ("badge", found.badge or ""),
                ("language", found.language),
            )
        },
    }
    return render(request, "persons/one.html", context, status=422 if problem else 200)


@require_http_methods(["GET", "HEAD", "POST"])
@people
def new_person(request: HttpRequest) -> HttpResponseBase:
    """GET asks who it is; POST adds the person to a plant."""
    plants, problem = led_plants(request, ADMINS), ""
    if request.method == "POST":
        plant = led_plant(request, posted_name(request, "plant"), ADMINS)
        try:
            made = staff.add(
                _actor(request),
                plant,
                username=posted_name(request, "username"),
                name=posted_name(request, "name"),
                badge=posted_name(request, "badge"),
                language=request.POST.get("language", ""),
                roles=request.POST.getlist("roles"),
            )
        except staff.StaffRefused as why:
            problem = gettext(REFUSAL_TEXT[str(why)])
        else:
            messages.success(request, gettext("{} is known now.").format(made))
            return redirect("person", made.uuid)
    asked = request.POST or request.GET
    context = {
        "plants": plants,
        "languages": settings.LANGUAGES,
        "roles": [(role.value, gettext(ROLE_WORDS[role]), role in asked.getlist("roles")) for role in Role],
        "asked": asked,
        "problem": problem,
    }
    return render(request, "persons/new.html", context, status=422 if problem else 200)


@require_POST
@members
def badge_seen(request: HttpRequest, badge: int) -> HttpResponseBase:
    """A badge that nobody has is given to somebody, or put away."""
    plants = led_plants(request)
    if not plants:
        raise PermissionDenied
    row = UnknownBadge.objects.filter(pk=badge, plant__in=plants).first()
    if row is None:
        messages.info(request, gettext("That is settled already."))
        return redirect("people")
    named = posted_name(request, "person").strip()
    if not named:
        staff.forget_badge(badge, plants)
        return redirect("people")
    holder = Person.objects.filter(username=named, memberships__plant__in=plants).distinct().first()
    if holder is None:
        messages.error(request, gettext("Nobody in your plant has this user name. Look in the list."))
        return redirect("people")
    try:
        staff.change(
            _actor(request),
            holder,
            language=holder.language,
            badge=row.badge,
            name=holder.name,
            active=holder.is_active,
        )
    except staff.StaffRefused as why:
        messages.error(request, gettext(REFUSAL_TEXT[str(why)]))
        return redirect("people")
    messages.success(
        request, gettext("{name} has the badge {badge} now.").format(name=holder, badge=row.badge)
    )
    return redirect("people")


def _done(request: HttpRequest, actor: Person, person: Person) -> str:
    """Does what the pressed form says; returns what to tell. Raises StaffRefused."""
    told = request.POST
    match told.get("do", ""):
        case "pin":
            if not told.get("pin", ""):
                raise staff.StaffRefused("pin_bad")
            staff.give_pin(actor, person, told["pin"])
            return gettext("{} has a new PIN.").format(person)
        case "no-pin":
            staff.give_pin(actor, person, "")
            return gettext("{} has no PIN any more.").format(person)
        case "roles":
            plant = led_plant(request, posted_name(request, "plant"), ADMINS)
            staff.give_roles(actor, person, plant, told.getlist("roles"))
            return gettext("Saved.")
        case _:
            rights = staff.rights_over(actor, person)
            staff.change(
                actor,
                person,
                language=told.get("language", person.language),
                badge=posted_name(request, "badge") if "badge" in told else person.badge or "",
                name=posted_name(request, "name") if "name" in told else person.name,
                active="active" in told if rights.account else person.is_active,
            )
            return gettext("Saved.")


def _actor(request: HttpRequest) -> Person:
    assert isinstance(request.user, Person)  # the pages are for people who are logged in
    return request.user


def _found(plants: list[Plant], wanted: str) -> list[Line]:
    roles: dict[int, set[str]] = {}
    for person, role in Membership.objects.filter(plant__in=plants).values_list("person_id", "role"):
        roles.setdefault(person, set()).add(role)
    rows = Person.objects.filter(pk__in=roles).order_by("-is_active", "name", "username")
    asked = folded(wanted)
    return [
        Line(one, _said([roles[one.pk]]), bool(one.pin_hash))
        for one in rows
        if asked in folded(f"{one.name} {one.username} {one.badge or ''}")
    ]


def _said(roles: Iterable[Collection[str]]) -> str:
    has = {role for of_plant in roles for role in of_plant}
    return ", ".join(gettext(text) for role, text in ROLE_WORDS.items() if role in has)
