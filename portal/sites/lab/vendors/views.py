"""The lab's list of vendors, one vendor, and what is done with it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, request, url_for
from flask.typing import ResponseReturnValue

from portal.assessments import more_time
from portal.assessments import service as assessments
from portal.gate import queries as gate_queries
from portal.gate import service as gate
from portal.identity import service as identity
from portal.kernel.errors import Conflict, NotFound, Refused
from portal.kernel.ledger import Tx
from portal.kernel.words import day
from portal.policy import Action, may_ever
from portal.questionnaires import service as questionnaires
from portal.reviews import fourth_parties
from portal.sites.lab.vendors import lines
from portal.sites.lab.vendors.forms import (
    DATA_CLASS_HINTS,
    AssessmentForm,
    EngagementForm,
    InviteForm,
    MoreTimeForm,
    ReasonForm,
    TierForm,
    VendorForm,
    offered,
    put_problems,
    shown,
    stated,
)
from portal.sites.lab.vendors.gate_table import gate_table
from portal.sites.lab.vendors.head import Head, head_of
from portal.sites.lab.vendors.standing import standing
from portal.sites.lab.vendors.tabs import show_people
from portal.sites.lab.vendors.timeline import Strand, timeline
from portal.sites.shared.door import does
from portal.sites.shared.pages import actor, begin, house, page
from portal.terms import ACCESS_MODE_WORDS, Role, Side
from portal.vendors import queries, rules
from portal.vendors import service as vendors
from portal.vendors.checks import line

bp = Blueprint("lab_vendors", __name__, url_prefix="/lab/vendors")

USUAL_NOTICE = timedelta(days=28)
MINIMAL, FULL = "ai-contractor-minimal", "ai-contractor"


@bp.get("")
@does(Action.VENDOR_READ)
def index() -> ResponseReturnValue:
    """List the vendors; what is searched and filtered is in the address."""
    q = line(request.args.get("q", ""))[:100]
    tier = request.args.get("tier", "")
    wanted = int(tier) if tier in {"1", "2", "3"} else None
    after = request.args.get("after", "")
    with begin() as tx:
        found = queries.vendors(tx, q=q, tier=wanted, after=after if rules.is_slug(after) else "")
        ids = [vendor.id for vendor in found.lines]
        worlds = gate_queries.worlds(tx, ids)
        states = {key: lines.gate_state(world, gate.table(world, tx)) for key, world in worlds.items()}
        pressing = assessments.most_pressing(tx, ids)
        today = tx.now.date()
    rows = [
        {
            "vendor": vendor,
            "gate": states[vendor.id],
            "assessment": pressing.get(vendor.id),
            "tag": lines.state_tag(pressing[vendor.id], today) if vendor.id in pressing else None,
        }
        for vendor in found.lines
    ]
    return page(
        "lab/vendors/index.html",
        rows=rows,
        found=found,
        q=q,
        tier=wanted,
        continued=bool(after),
        may_add=may_ever(actor(), Action.VENDOR_ADD),
    )


@bp.route("/new", methods=["GET", "POST"])
@does(Action.VENDOR_ADD)
def new() -> ResponseReturnValue:
    """Take a vendor onto the list."""
    form = VendorForm()
    general: list[str] = []
    if form.validate_on_submit():
        try:
            with begin() as tx:
                vendor = vendors.add(
                    tx,
                    name=form.name.data or "",
                    legal_name=form.legal_name.data or "",
                    mail_domains=(form.mail_domains.data or "").replace(",", "\n").splitlines(),
                    slug=form.slug.data or "",
                )
        except Refused as refusal:
            general = put_problems(form, refusal)
        else:
            flash(f"{vendor.name} is on the list. Engage it for a project next.")
            return redirect(url_for(".show", slug=vendor.slug), 303)
    return page("lab/vendors/new.html", form=form, general=general), _status()


@bp.get("/<slug>")
@does(Action.VENDOR_READ)
def show(slug: str) -> ResponseReturnValue:
    """Show a vendor: what the gate says, what it can touch, and where it stands, as far as the reader's roles go."""
    with begin() as tx:
        head = head_of(tx, slug)
        context = _overview(tx, head)
    return page("lab/vendors/show.html", active="vendors", head=head, vendor=head.vendor, may=head.may, **context)


NEWEST = 8
BRIEF = (Strand.ASKED, Strand.REVIEW, Strand.DECISION, Strand.GATE)
"""How much of the history the overview shows: every file and every person are on the page of the whole."""


def _overview(tx: Tx, head: Head) -> dict[str, Any]:
    today = tx.now.date()
    steps = lines.next_steps(head.engagements, head.team, head.asked)
    return {
        "table": gate_table(tx, head),
        "touched": [(each, lines.touch_state(head.world, each, tx.now)) for each in head.live],
        "modes": ACCESS_MODE_WORDS,
        "current": (head.asked[0], lines.state_tag(head.asked[0], today)) if head.asked else None,
        "more_time": more_time.more_time_waiting(tx, head.vendor.id),
        "standing": standing(tx, head, today),
        "parties": None if head.parties is None else fourth_parties.with_others(tx, head.vendor, head.parties),
        "history": timeline(tx, head.vendor, BRIEF, limit=NEWEST),
        "steps": steps,
        "next_act": _next_act(head, steps),
    }


def _next_act(head: Head, steps: list[tuple[str, str, str]]) -> tuple[str, str] | None:
    """Return the button of the step that is next, for who may take it."""
    slug = head.vendor.slug
    acts = (
        (Action.ENGAGEMENT_WRITE, "Engage it for a project", url_for(".engage", slug=slug)),
        (Action.VENDOR_INVITE, "Invite its vendor admin", url_for("lab_vendor.people_page", slug=slug) + "#invite"),
        (Action.ASSESSMENT_CREATE, "Request an assessment", url_for(".request_assessment", slug=slug)),
    )
    for (action, words, href), (_title, _words, state) in zip(acts, steps, strict=False):
        if state == "now" and head.may[action.name]:
            return words, href
    return None


@bp.route("/<slug>/engagements/new", methods=["GET", "POST"])
@does(Action.ENGAGEMENT_WRITE)
def engage(slug: str) -> ResponseReturnValue:
    """Engage a vendor for a project."""
    form = EngagementForm()
    general: list[str] = []
    with begin() as tx:
        vendor = vendors.by_slug(tx, slug, Action.ENGAGEMENT_WRITE)
        if request.method == "GET":
            form.starts_on.data = tx.now.date()
            form.row_version.data = vendor.row_version
    if form.validate_on_submit():
        try:
            with begin() as tx:
                # A name of its own: what a refused transaction has read cannot be shown any more.
                now = vendors.by_slug(tx, slug, Action.ENGAGEMENT_WRITE)
                made = vendors.engage(tx, vendor=now, **form.given())
        except Refused as refusal:
            general = put_problems(form, refusal)
        else:
            flash(f"{made.project} is saved. {_risk_said(made)}")
            return redirect(url_for("lab_vendor.access", slug=slug, _anchor="engagements"), 303)
    return _engagement_page(vendor, form, general)


@bp.route("/<slug>/engagements/<engagement>", methods=["GET", "POST"])
@does(Action.ENGAGEMENT_WRITE)
def change_engagement(slug: str, engagement: str) -> ResponseReturnValue:
    """State an engagement anew."""
    form = EngagementForm()
    general: list[str] = []
    vendor, row = _engagement(slug, engagement, Action.ENGAGEMENT_WRITE)
    if request.method == "GET":
        form.fill(row)
    elif form.validate_on_submit():
        try:
            with begin() as tx:
                now = vendors.engagement(tx, row.id, Action.ENGAGEMENT_WRITE)
                vendors.change_engagement(tx, engagement=now, row_version=form.row_version.seen, **form.given())
        except Refused as refusal:
            general = put_problems(form, refusal)
        except Conflict as refusal:
            vendor, row = _engagement(slug, engagement, Action.ENGAGEMENT_WRITE)
            theirs = _differences(row, form)
            # What was typed is kept; saving again is then a choice made with both in view.
            form.row_version.data, form.row_version.raw_data = row.row_version, None
            return _engagement_page(vendor, form, [], row=row, conflict=refusal.message, theirs=theirs)
        else:
            flash(f"{now.project} is saved. {_risk_said(now)}")
            return redirect(url_for("lab_vendor.access", slug=slug, _anchor="engagements"), 303)
    return _engagement_page(vendor, form, general, row=row)


def _engagement_page(
    vendor: vendors.Vendor,
    form: EngagementForm,
    general: list[str],
    *,
    row: vendors.Engagement | None = None,
    conflict: str = "",
    theirs: list[tuple[str, str]] | None = None,
) -> ResponseReturnValue:
    body = page(
        "lab/vendors/engagement.html",
        vendor=vendor,
        form=form,
        general=general,
        row=row,
        conflict=conflict,
        theirs=theirs or [],
        class_hints=DATA_CLASS_HINTS,
    )
    return body, 409 if conflict else _status()


def _differences(row: vendors.Engagement, form: EngagementForm) -> list[tuple[str, str]]:
    now, mine = stated(row), form.given()
    mine["data_classes"] = form.data_classes.data or []
    return [
        (form[name].label.text, shown(form[name], now[name]))
        for name in now
        if (sorted(now[name]) if isinstance(now[name], list) else now[name])
        != (sorted(mine[name]) if isinstance(mine[name], list) else mine[name])
    ]


def _risk_said(engagement: vendors.Engagement) -> str:
    risk = f"Inherent risk {engagement.inherent_risk} of 25 ({rules.band(engagement.inherent_risk)})"
    return f"{risk}, tier {engagement.tier}{' as raised' if engagement.raised_tier else ''}."


@bp.route("/<slug>/engagements/<engagement>/tier", methods=["GET", "POST"])
@does(Action.TIER_RAISE)
def raise_tier(slug: str, engagement: str) -> ResponseReturnValue:
    """Put an engagement into a stricter tier, with a reason."""
    form = TierForm()
    general: list[str] = []
    vendor, row = _engagement(slug, engagement, Action.TIER_RAISE)
    form.tier.choices = offered((str(tier), f"Tier {tier}") for tier in range(1, row.tier))
    if request.method == "GET":
        form.row_version.data = row.row_version
    elif form.validate_on_submit():
        try:
            with begin() as tx:
                now = vendors.engagement(tx, row.id, Action.TIER_RAISE)
                tier = int(form.tier.data) if form.tier.data in {"1", "2", "3"} else 0
                vendors.raise_tier(
                    tx, engagement=now, tier=tier, reason=form.reason.data or "", row_version=form.row_version.seen
                )
        except Refused as refusal:
            general = put_problems(form, refusal)
        else:
            flash(f"{now.project} is in tier {now.tier} now.")
            return redirect(url_for("lab_vendor.access", slug=slug, _anchor="engagements"), 303)
    return page("lab/vendors/tier.html", vendor=vendor, row=row, form=form, general=general, band=rules.band), _status()


def _engagement(slug: str, engagement: str, action: Action) -> tuple[vendors.Vendor, vendors.Engagement]:
    with begin() as tx:
        vendor = vendors.by_slug(tx, slug, action)
        return vendor, vendors.engagement_by_slug(tx, vendor, engagement, action)


@bp.route("/<slug>/assessments/new", methods=["GET", "POST"])
@does(Action.ASSESSMENT_CREATE)
def request_assessment(slug: str) -> ResponseReturnValue:
    """Ask a vendor to attest for one engagement; with several, choose it first."""
    form = AssessmentForm()
    general: list[str] = []
    with begin() as tx:
        vendor = vendors.by_slug(tx, slug, Action.ASSESSMENT_CREATE)
        today = tx.now.date()
        versions = questionnaires.list_versions(tx)
        live = [each for each in queries.engagements_of(tx, vendor.id) if each.ends_on is None or each.ends_on >= today]
        named = request.args.get("engagement", "")
        row = next((each for each in live if each.slug == named), live[0] if len(live) == 1 and not named else None)
        if named and row is None:
            raise NotFound
    if row is None:
        return page("lab/vendors/choose_engagement.html", vendor=vendor, engagements=live)
    form.questionnaire.choices = offered((str(each.id), f"{each.title}, version {each.version}") for each in versions)
    if request.method == "GET":
        usual = MINIMAL if row.tier == 3 else FULL
        form.questionnaire.data = next((str(each.id) for each in versions if each.slug == usual), None)
        form.due_on.data = today + USUAL_NOTICE
        form.row_version.data = row.row_version
    elif form.validate_on_submit():
        try:
            with begin() as tx:
                asked = assessments.request(
                    tx,
                    vendor=vendors.by_slug(tx, slug, Action.ASSESSMENT_CREATE),
                    engagement=vendors.engagement(tx, row.id, Action.ASSESSMENT_CREATE),
                    questionnaire_version=questionnaires.get(tx, UUID(form.questionnaire.data)),
                    due_on=form.due_on.data or today,
                    title=form.title.data or None,
                    row_version=form.row_version.seen,
                )
        except Refused as refusal:
            general = put_problems(form, refusal)
        except Conflict as refusal:
            general = [refusal.message]
            form.row_version.data, form.row_version.raw_data = row.row_version, None
            body = page("lab/vendors/ask.html", vendor=vendor, row=row, form=form, general=general, band=rules.band)
            return body, 409
        else:
            flash(f"{vendor.name} is asked: {asked.title}.")
            return redirect(url_for("lab_vendor.assessments_page", slug=slug), 303)
    return page("lab/vendors/ask.html", vendor=vendor, row=row, form=form, general=general, band=rules.band), _status()


@bp.route("/<slug>/assessments/<uuid:assessment_id>/cancel", methods=["GET", "POST"])
@does(Action.ASSESSMENT_CANCEL)
def cancel_assessment(slug: str, assessment_id: UUID) -> ResponseReturnValue:
    """Stop asking, with a reason the vendor reads."""
    form = ReasonForm()
    general: list[str] = []
    with begin() as tx:
        vendor = vendors.by_slug(tx, slug, Action.ASSESSMENT_CANCEL)
        row = assessments.get(tx, assessment_id, Action.ASSESSMENT_CANCEL)
        if row.vendor_id != vendor.id:
            raise NotFound
    if request.method == "GET":
        form.row_version.data = row.row_version
    elif form.validate_on_submit():
        try:
            with begin() as tx:
                now = assessments.get(tx, assessment_id, Action.ASSESSMENT_CANCEL)
                assessments.cancel(tx, assessment=now, reason=form.reason.data or "", row_version=form.row_version.seen)
        except Refused as refusal:
            general = put_problems(form, refusal)
        else:
            flash(f"{row.title} is cancelled. The vendor is told why.")
            return redirect(url_for("lab_vendor.assessments_page", slug=slug), 303)
    return page("lab/vendors/cancel.html", vendor=vendor, row=row, form=form, general=general), _status()


@bp.route("/<slug>/assessments/<uuid:assessment_id>/more-time", methods=["GET", "POST"])
@does(Action.MORE_TIME_ANSWER)
def answer_more_time(slug: str, assessment_id: UUID) -> ResponseReturnValue:
    """Agree to a later due date, or decline with words that the vendor reads."""
    form = MoreTimeForm()
    general: list[str] = []
    with begin() as tx:
        vendor = vendors.by_slug(tx, slug, Action.MORE_TIME_ANSWER)
        row = assessments.get(tx, assessment_id, Action.MORE_TIME_ANSWER)
        if row.vendor_id != vendor.id:
            raise NotFound
        asked = more_time.more_time_of(tx, row)
        if asked is None:
            raise NotFound
    if request.method == "GET":
        form.asked.data, form.until.data = str(asked.id), asked.wished_on
    elif form.validate_on_submit():
        agrees = request.form.get("answer") == "agree"
        try:
            with begin() as tx:
                now = assessments.get(tx, assessment_id, Action.MORE_TIME_ANSWER)
                request_id, words = _uuid(form.asked.data), form.words.data or ""
                if agrees:
                    more_time.agree_more_time(
                        tx, assessment=now, request_id=request_id, until=form.until.data, words=words
                    )
                else:
                    more_time.decline_more_time(tx, assessment=now, request_id=request_id, words=words)
        except Refused as refusal:
            general = put_problems(form, refusal)
        except Conflict as late:
            return page(
                "lab/vendors/more_time.html", vendor=vendor, row=row, asked=asked, form=form, general=[late.message]
            ), 409
        else:
            flash(f"{row.title} is due on {day(now.due_on)}. The vendor is told.")
            return redirect(url_for("lab_vendor.assessments_page", slug=slug), 303)
    return page(
        "lab/vendors/more_time.html", vendor=vendor, row=row, asked=asked, form=form, general=general
    ), _status()


def _uuid(text: str | None) -> UUID:
    """Return the id in a form; what is no id names nothing."""
    try:
        return UUID(text or "")
    except ValueError:
        return UUID(int=0)


@bp.post("/<slug>/people")
@does(Action.VENDOR_INVITE)
def invite(slug: str) -> ResponseReturnValue:
    """Invite a person of the vendor; the mail with the link leaves by itself."""
    form = InviteForm()
    general: list[str] = []
    with begin() as tx:
        vendor = vendors.by_slug(tx, slug, Action.VENDOR_INVITE)
    if form.validate_on_submit():
        try:
            with begin() as tx:
                identity.invite(
                    tx,
                    email=line(form.email.data),
                    full_name=line(form.full_name.data),
                    roles=[Role(role) for role in form.roles.data or ()],
                    side=Side.VENDOR,
                    vendor_id=vendor.id,
                    keyring=house().keyring,
                    domains=tuple(vendor.mail_domains),
                )
        except Refused as refusal:
            general = put_problems(form, refusal)
        else:
            flash(f"{line(form.full_name.data)} is invited. The link is on its way to {line(form.email.data)}.")
            return redirect(url_for("lab_vendor.people_page", slug=slug), 303)
    return show_people(slug, form, general), _status()


@bp.post("/<slug>/people/<uuid:invitation_id>/resend")
@does(Action.VENDOR_INVITE)
def resend(slug: str, invitation_id: UUID) -> ResponseReturnValue:
    """Send an invitation again; the link of the earlier mail stays good for as long as it was."""
    with begin() as tx:
        invitation = _invitation(tx, slug, invitation_id)
        leaves = identity.resend(tx, invitation=invitation, keyring=house().keyring)
        name = invitation.full_name
    if leaves:
        flash(f"A new link is on its way to {name}. Until it arrives, the earlier one goes on working.")
    else:
        flash(f"A link left for {name} less than a minute ago. No second one was sent.", "info")
    return redirect(url_for("lab_vendor.people_page", slug=slug), 303)


@bp.post("/<slug>/people/<uuid:invitation_id>/withdraw")
@does(Action.VENDOR_INVITE)
def withdraw_invitation(slug: str, invitation_id: UUID) -> ResponseReturnValue:
    """Take an unused invitation back."""
    with begin() as tx:
        invitation = _invitation(tx, slug, invitation_id)
        identity.revoke(tx, invitation=invitation)
        name = invitation.full_name
    flash(f"The invitation of {name} is withdrawn.")
    return redirect(url_for("lab_vendor.people_page", slug=slug), 303)


def _invitation(tx: Tx, slug: str, invitation_id: UUID) -> Any:
    vendor = vendors.by_slug(tx, slug, Action.VENDOR_INVITE)
    invitation = identity.get_invitation(tx, invitation_id)
    if invitation.vendor_id != vendor.id:
        raise NotFound
    return invitation


def _status() -> int:
    return 200 if request.method == "GET" else 422
