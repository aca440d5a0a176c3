-- What the worker's figures are counted by, so that reading them stays cheap however much has happened before.
create index renewals__ended on renewals (ended_at)
where ended_at is not null;
create index mails__created on mails (created_at);
create index mails__unsent on mails (created_at)
where state in ('sending', 'failed');
create index outbox__set_aside on outbox (destination)
where delivered_at is null and set_aside_at is not null;
