"""A questionnaire that uses everything that the language has."""

from functools import cache

from portal.questionnaires.rules import Questionnaire, compile_yaml

EVERY_KIND = """\
# yaml-language-server: $schema=../schema.json
slug: every-kind
version: 1
title: Every kind of question
language: en
expects: {sections: 2, questions: 12, scoping: 1, domain_weight: 3, question_weight: 13}
scoping:
  - key: scp.platform
    label: Own platform
    text: Does your own platform process our data?
    owner: vendor
    kind: yesno
    options: [{key: yes, label: Yes, sets: [dev]}, {key: no, label: No}]
sections:
  - key: scored
    title: Scored answers
    group: About you
    summary: What earns credit.
    intro: Answer as things are today.
    weight: 3
    questions:
      - key: sco.owner
        revision: 1
        label: Owner
        text: A named person owns security.
        kind: ynp
        weight: 2
        tiers: [1, 2, 3]
        evidence: {level: 2, kinds: [POL]}
        warnings:
          - {when: "answer in (no, partial)", severity: watch, text: Most contractors that we accept have one.}
          - {when: "answer=no", severity: stop, text: Without an owner nobody can decide for you in an incident.}
        compensating: true
        guidance: Name the person in the comment.
        why: Somebody must be able to decide.
        strong: A name, a role and a date.
        good_evidence: The policy that names the person.
      - key: sco.tests
        revision: 1
        label: Tests
        text: Isolation was tested within a year.
        kind: yn
        weight: 2
        tiers: [1, 2, 3]
        when: "dev"
        evidence: {level: 2, kinds: [PT]}
        compensating: {ask: How do you find out instead?}
        guidance: A test by somebody else counts most.
        why: Isolation that nobody tests is a hope.
        strong: A report of this year.
        good_evidence: The summary of the report.
      - key: sco.reuse
        revision: 1
        label: Reuse
        text: Nothing of ours is used again.
        kind: yn!
        weight: 3
        tiers: [1, 2, 3]
        knock_out: {tiers: [1, 2, 3], fails: [no]}
        evidence: {level: 2, kinds: [ATT]}
        guidance: This covers data, rubrics and prompts.
        why: It is ours.
        strong: Yes, and it stands in your contracts.
        good_evidence: The clause of the contract.
      - key: sco.level
        revision: 1
        label: Assurance
        text: Which report is in force?
        kind: c1
        weight: 3
        tiers: [1, 2, 3]
        evidence: {level: 2, kinds: [SOC2]}
        options:
          - {key: type2, label: SOC 2 Type 2, credit: 100, description: Over a period.}
          - {key: type1, label: SOC 2 Type 1, credit: 40}
          - {key: none, label: None, credit: 0}
        warnings:
          - {when: "answer=type1", severity: info, text: A Type 2 report says more.}
        compensating: true
        details:
          - {key: period, label: Period of the report, kind: range}
          - {key: issued, label: Issued on, kind: date}
          - {key: exceptions, label: It has exceptions, kind: yesno}
          - {key: page, label: Page about it, kind: url}
          - {key: auditor, label: Auditor, kind: text, length: short}
          - {key: notes, label: What else matters, kind: text, length: long}
          - key: sites
            label: Sites in scope
            kind: table
            rows: 5
            min_rows: 2
            columns: [{key: place, label: Place}, {key: staff, label: Staff, kind: number}]
        guidance: Take the newest one.
        why: A report of a period says more than one of a day.
        strong: Type 2 over a year.
        good_evidence: The report itself.
      - key: sco.hours
        revision: 1
        label: Leavers
        text: Hours until an account is closed.
        kind: num
        weight: 3
        tiers: [1, 2, 3]
        requires: "ans(sco.level) in (type1, type2) or ans(sco.level)=none"
        knock_out: {tiers: [1], fails: ">72"}
        evidence: {level: 2, kinds: [LOG]}
        unit: hours
        steps:
          - {when: "<=24", credit: 100}
          - {when: "<=72", credit: 50}
          - {when: else, credit: 0, label: more}
        warnings:
          - {when: "answer>72", severity: stop, text: Three days are long for somebody who left in anger.}
        compensating: true
        guidance: Take the slowest real case.
        why: A forgotten account is an open door.
        strong: Within a day, by a system.
        good_evidence: A log of three leavers.
  - key: facts
    title: Facts
    group: Assurance
    summary: What is not scored.
    intro: These earn nothing.
    weight: 0
    questions:
      - key: fac.areas
        revision: 1
        label: Areas
        text: What do you do for us?
        kind: multi
        weight: 0
        tiers: [1, 2, 3]
        options: [{key: label, label: Labelling}, {key: eval, label: Evaluation}]
        guidance: Choose all.
        why: It tells us whom to ask.
      - key: fac.suppliers
        revision: 1
        label: Suppliers
        text: Who works for you on our data?
        kind: table
        weight: 0
        tiers: [1, 2, 3]
        rows: 20
        min_rows: 1
        columns:
          - {key: name, label: Name}
          - {key: staff, label: Staff, kind: number}
          - {key: since, label: Since, kind: date}
          - {key: role, label: Role, kind: choice, options: [{key: host, label: Hosting}, {key: work, label: Work}]}
          - {key: page, label: Trust page, kind: url}
          - {key: agreed, label: We agreed, kind: yesno}
        guidance: One row each.
        why: Their weakness is yours.
      - key: fac.since
        revision: 1
        label: Start
        text: When did you start?
        kind: date
        weight: 0
        tiers: [1, 2, 3]
        warnings:
          - {when: "answer>2026-01-01", severity: info, text: Young firms often lack a report; that is no shame.}
        guidance: The first day of work.
        why: It tells us what to expect.
      - key: fac.period
        revision: 1
        label: Audit period
        text: Which period does the last audit cover?
        kind: range
        weight: 0
        tiers: [1, 2, 3]
        guidance: From the first to the last day.
        why: Gaps matter.
      - key: fac.contact
        revision: 1
        label: Contact
        text: Whom do we call at night?
        kind: text
        length: short
        weight: 0
        tiers: [1, 2, 3]
        guidance: A name and a number.
        why: Incidents do not wait.
      - key: fac.page
        revision: 1
        label: Trust page
        text: Where do you publish your security facts?
        kind: url
        weight: 0
        tiers: [1, 2, 3]
        guidance: One address.
        why: It saves you questions.
      - key: fac.diagram
        revision: 1
        label: Diagram
        text: Attach a diagram of where our data flows.
        kind: file
        weight: 0
        tiers: [1, 2, 3]
        guidance: A drawing by hand is enough.
        why: A picture shows what words hide.
rules:
  - key: audit_after_start
    at: fac.since
    unless: "ans(fac.since) <= field(sco.level, issued)"
    message: The report was issued before you started. Mend one of the two dates
  - key: exceptions_explained
    at: sco.level
    when: "field(sco.level, exceptions)=yes and not field(sco.level, notes)"
    message: Say under “What else matters” what the exceptions are
"""


@cache
def every_kind() -> Questionnaire:
    """Return it, compiled."""
    return compile_yaml(EVERY_KIND.encode(), "every-kind.yaml")
