-- When a rejected record was published to the rejects topic; at least once.
alter table usage_rejects add column published_at timestamptz;
create index usage_rejects__unpublished on usage_rejects (topic, rejected_at)
where published_at is null;
