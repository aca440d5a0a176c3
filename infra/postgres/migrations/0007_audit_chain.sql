-- The chain over the audit (docs/decisions/0006-audit-chain.md): each link's hash is made of the one before and of its event. The links lie beside the events,
-- which are never changed. No foreign key: it would lock rows that are to be left alone, and a link has to outlive an event that somebody removed.
create table audit_links (
  position bigint primary key check (position > 0),
  event_id bigint not null unique,
  -- SHA-256
  hash bytea not null check (length(hash) = 32)
);
create trigger audit_links__append_only
before update or delete or truncate on audit_links
for each statement execute function refuse_change();

-- The events that have no link yet, so that the sealer finds them without looking for gaps: ids become visible out of order. Filled with the event, by
-- whatever release writes it; emptied with its link. At each moment an event is in one of the two.
create table audit_unsealed (
  event_id bigint primary key
);
-- With the owner's rights, so that who writes events needs none on this table and cannot take anything out of it.
create function queue_for_sealing() returns trigger language plpgsql security definer set search_path = public, pg_temp as $$
begin
  insert into audit_unsealed (event_id) values (new.event_id);
  return null;
end
$$;
create trigger audit_events__queue_for_sealing
after insert on audit_events
for each row execute function queue_for_sealing();

-- After the trigger, whose lock holds back new events until this is committed: those that were there before are chained like any others.
insert into audit_unsealed (event_id) select e.event_id from audit_events as e;
