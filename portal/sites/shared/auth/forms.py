"""The forms of these pages. What they refuse, they refuse in the words of the product."""

from __future__ import annotations

from wtforms import EmailField, Form, PasswordField, StringField
from wtforms.validators import InputRequired, Length

from portal.terms import N_


class SignInForm(Form):
    """Who, and both factors, in one go."""

    email = EmailField(N_("Work e-mail"), [InputRequired(N_("Enter your work e-mail")), Length(max=254)])
    password = PasswordField(N_("Password"), [InputRequired(N_("Enter your password")), Length(max=1000)])
    code = StringField(
        N_("Authenticator code"),
        [InputRequired(N_("Enter the 6 digits from your authenticator app, or a recovery code")), Length(max=60)],
        description=N_("6 digits that change every 30 seconds. Lost the app? Enter a recovery code here"),
    )


class PanelForm(Form):
    """Both factors of the person whose page it is."""

    password = PasswordField(N_("Password"), [InputRequired(N_("Enter your password")), Length(max=1000)])
    code = StringField(
        N_("Authenticator code"),
        [InputRequired(N_("Enter the 6 digits from your authenticator app, or a recovery code")), Length(max=60)],
    )


class EnrolForm(Form):
    """What an invited person chooses."""

    full_name = StringField(N_("Full name"), [InputRequired(N_("Enter your full name")), Length(max=1000)])
    password = PasswordField(
        N_("Choose a password"),
        [InputRequired(N_("Choose a password with at least 12 characters")), Length(max=5000)],
        description=N_("At least 12 characters, for example four unrelated words. Paste is fine"),
    )
    code = StringField(
        N_("Code from your authenticator app"),
        [InputRequired(N_("Enter the 6 digits that your app shows for Gatehouse")), Length(max=60)],
        description=N_("6 digits. They prove that the app works"),
    )


class ResetForm(Form):
    """Where to send the link."""

    email = EmailField(N_("Work e-mail"), [InputRequired(N_("Enter your work e-mail")), Length(max=254)])


class NewPasswordForm(Form):
    """A new password, and the factor that stays."""

    password = PasswordField(
        N_("Choose a new password"),
        [InputRequired(N_("Choose a password with at least 12 characters")), Length(max=5000)],
        description=N_("At least 12 characters, for example four unrelated words. Paste is fine"),
    )
    code = StringField(
        N_("Authenticator code"),
        [InputRequired(N_("Enter the 6 digits from your authenticator app, or a recovery code")), Length(max=60)],
        description=N_("6 digits, or one of your recovery codes"),
    )


class ChangePasswordForm(Form):
    """The present password, the new one, and a code."""

    current = PasswordField(
        N_("Present password"), [InputRequired(N_("Enter your present password")), Length(max=5000)]
    )
    password = PasswordField(
        N_("New password"),
        [InputRequired(N_("Choose a password with at least 12 characters")), Length(max=5000)],
        description=N_("At least 12 characters, for example four unrelated words"),
    )


def add_problems(form: Form, problems: dict[str, list[str]]) -> None:
    """Put a room's refusal at its fields; what has no field goes to the first one."""
    for name, sentences in problems.items():
        field = form._fields.get(name) or next(iter(form._fields.values()))
        field.errors = [*field.errors, *sentences]
