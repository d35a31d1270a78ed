"""A small questionnaire to change, and the shipped ones to check."""

from functools import cache
from pathlib import Path

from hypothesis import settings

from portal.questionnaires.rules import Questionnaire, compile_yaml

ROOT = Path(__file__).parents[3] / "questionnaires"
SLUGS = ("ai-contractor", "ai-contractor-minimal", "incident-reattestation")

# The same examples on every run, and no clock in the verdict.
law = settings(deadline=None, derandomize=True, max_examples=100)

SAMPLE = """\
slug: sample
version: 1
title: Sample
language: en
frameworks:
  csf: {name: NIST CSF, version: "2.0"}
evidence_offset: 0
expects: {sections: 2, questions: 5, scoping: 4, domain_weight: 5, question_weight: 13}
scoping:
  - key: scp.services
    label: Services
    text: Which services?
    owner: lab
    kind: choices
    drives: svc
    options:
      - {key: eval, label: Evaluation}
      - {key: synthetic, label: Synthetic data, sets: [synth]}
  - key: scp.data
    label: Data
    text: Which data?
    owner: lab
    kind: table
    drives: dmax
    columns:
      - {key: class, label: Class, kind: choice, options: [{key: D0, label: Public}, {key: D3, label: Secret}]}
      - {key: place, label: Place, kind: choice, options: [{key: office, label: Office, sets: [office]}]}
  - key: scp.people
    label: People
    text: How many?
    owner: vendor
    kind: number
    unit: people
    drives: people
  - key: scp.labs
    label: Labs
    text: Others?
    owner: vendor
    kind: yesno
    options: [{key: yes, label: Yes, sets: [multi]}, {key: no, label: No}]
sections:
  - key: one
    title: One
    group: About you
    summary: The first.
    intro: Begin here.
    weight: 3
    questions:
      - key: one.level
        revision: 1
        label: Level
        text: Which level?
        kind: c1
        weight: 5
        tiers: [1, 2]
        knock_out: {tiers: [1], fails: [none]}
        evidence: {level: 2, kinds: [SOC2]}
        maps: {csf: GV.OV-03}
        options:
          - {key: high, label: High, credit: 100}
          - {key: low, label: Low, credit: 40}
          - {key: none, label: None, credit: 0}
        guidance: How to answer.
        why: Why we ask.
        strong: A strong answer.
        good_evidence: Good evidence.
      - key: one.scope
        revision: 1
        label: Scope
        text: It covers all.
        kind: ynp
        weight: 2
        tiers: [1, 2]
        requires: "ans(one.level)!=none"
        evidence: {level: 2, kinds: [SOC2]}
        details:
          - {key: since, label: Since, kind: date}
          - key: sites
            label: Sites
            kind: table
            rows: 2
            columns: [{key: name, label: Name}, {key: people, label: People, kind: number}]
        guidance: How to answer.
        why: Why we ask.
        strong: A strong answer.
        good_evidence: Good evidence.
  - key: two
    title: Two
    group: Assurance
    summary: The second.
    intro: Go on.
    weight: 2
    questions:
      - key: two.hours
        revision: 1
        label: Hours
        text: How many hours?
        kind: num
        weight: 3
        tiers: [1, 2, 3]
        knock_out: {tiers: [1, 2, 3], fails: ">72"}
        evidence: {level: 2, kinds: [CON]}
        unit: hours
        steps:
          - {when: "<=24", credit: 100}
          - {when: "<=72", credit: 50}
          - {when: else, credit: 0, label: more}
        guidance: How to answer.
        why: Why we ask.
        strong: A strong answer.
        good_evidence: Good evidence.
      - key: two.reuse
        revision: 1
        label: Reuse
        text: Nothing is reused.
        kind: yn!
        weight: 2
        tiers: [1, 2, 3]
        knock_out: {tiers: [1, 2, 3], fails: below_full}
        evidence: {level: 1, kinds: [ATT]}
        guidance: How to answer.
        why: Why we ask.
        strong: A strong answer.
        good_evidence: Good evidence.
      - key: two.tenants
        revision: 1
        label: Tenants
        text: Customers are apart.
        kind: ynp
        weight: 1
        tiers: [1, 2]
        when: "multi and dmax>=3"
        evidence: {level: 1, kinds: [ARC]}
        guidance: How to answer.
        why: Why we ask.
        strong: A strong answer.
        good_evidence: Good evidence.
"""


@cache
def shipped(slug: str) -> Questionnaire:
    """Return version 1 of a shipped questionnaire."""
    path = ROOT / slug / "v1.yaml"
    return compile_yaml(path.read_bytes(), f"questionnaires/{slug}/v1.yaml")


@cache
def small() -> Questionnaire:
    """Return the sample, compiled."""
    return compile_yaml(SAMPLE.encode(), "sample.yaml")
