-- Alarms: what was raised, once a step and subject; the messages that tell people, kept until they are sent.

CREATE SCHEMA alarm;

-- ``dedup_key`` makes an alarm of a step and subject happen once: a deadline's for ever, a state's until it is over.
CREATE TABLE alarm.alarm (
    alarm_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dedup_key text NOT NULL UNIQUE,
    topic text NOT NULL,
    subject text NOT NULL,
    step integer NOT NULL,
    severity text NOT NULL CHECK (severity IN ('error', 'warning')),
    role text NOT NULL CHECK (role IN ('ops', 'compliance', 'on-call')),
    urgent boolean NOT NULL DEFAULT false,
    sentence text NOT NULL,
    what_to_do text NOT NULL,
    link text NOT NULL,
    figures jsonb NOT NULL DEFAULT '{}',
    correlation_id text NOT NULL,
    raised_at timestamptz NOT NULL,
    ended_at timestamptz,
    escalations integer NOT NULL DEFAULT 0,
    acknowledged_at timestamptz,
    acknowledged_by text,
    acknowledged_why text,
    CHECK ((acknowledged_at IS NULL) = (acknowledged_by IS NULL))
);
CREATE UNIQUE INDEX alarm_open ON alarm.alarm (topic, subject, step) WHERE ended_at IS NULL;
CREATE INDEX alarm_raised ON alarm.alarm (raised_at);

-- One message to one address. ``began_at`` is committed before the message leaves, ``sent_at`` after it was taken: a
-- process killed in between sends it again under the same ``dedup_key``, by which receivers tell it is the same.
CREATE TABLE alarm.message (
    message_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    dedup_key text NOT NULL UNIQUE,
    what text NOT NULL CHECK (what IN ('alarms', 'escalation', 'digest', 'test')),
    channel text NOT NULL CHECK (channel IN ('mail', 'webhook')),
    address text NOT NULL,
    content jsonb NOT NULL,
    made_at timestamptz NOT NULL,
    next_at timestamptz NOT NULL,
    attempts integer NOT NULL DEFAULT 0,
    began_at timestamptz,
    lease_until timestamptz,
    sent_at timestamptz,
    given_up_at timestamptz,
    why_not text
);
CREATE INDEX message_due ON alarm.message (next_at) WHERE sent_at IS NULL AND given_up_at IS NULL;

CREATE TABLE alarm.message_alarm (
    message_id bigint NOT NULL REFERENCES alarm.message ON DELETE CASCADE,
    alarm_id bigint NOT NULL REFERENCES alarm.alarm ON DELETE CASCADE,
    PRIMARY KEY (message_id, alarm_id)
);
CREATE INDEX message_alarm_alarm ON alarm.message_alarm (alarm_id);
