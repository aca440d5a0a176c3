-- What the operators' screens are told by and read: certificate and kind of change, never a secret, a name or an address. A lost notification is made good by
-- reading again.
create function notify_screens(certificate_id text, what text) returns void language sql as $$
  select pg_notify('screens_changed', json_build_object('certificateId', certificate_id, 'what', what)::text);
$$;

-- The kind is the trigger's argument.
create function notify_screens_of_row() returns trigger language plpgsql as $$
begin
  perform notify_screens(new.certificate_id, tg_argv[0]);
  return null;
end
$$;
create trigger access_grants__notify_screens
after insert or update of ended_at, successor_id, lapse_reason, services_suspended_at on access_grants
for each row execute function notify_screens_of_row('grant');
create trigger client_services__notify_screens
after insert or update of status, alias on client_services
for each row execute function notify_screens_of_row('client_service');
create trigger renewals__notify_screens
after insert or update on renewals
for each row execute function notify_screens_of_row('renewal');
create trigger mails__notify_screens
after insert or update of state on mails
for each row execute function notify_screens_of_row('mail');

-- not each count, but the ones that people wait for
create function notify_screens_of_usage() returns trigger language plpgsql as $$
begin
  perform notify_screens(g.certificate_id, 'usage') from access_grants as g where g.grant_id = new.grant_id;
  return null;
end
$$;
create trigger usage_thresholds__notify_screens
after insert on usage_thresholds
for each row execute function notify_screens_of_usage();

-- What a session that ended still shows ends with it, in whichever process it is served. The id is no secret: what a browser holds is only kept as a hash.
create function notify_session_ended() returns trigger language plpgsql as $$
begin
  perform pg_notify('screens_changed', json_build_object('endedSessionId', new.session_id)::text);
  return null;
end
$$;
create trigger sessions__notify_ended
after update of ended_at on sessions
for each row when (new.ended_at is not null) execute function notify_session_ended();

create index audit_events__timeline on audit_events (certificate_id, at desc, event_id desc);
create index mails__operator on mails (account_id, operator_id, created_at desc);
