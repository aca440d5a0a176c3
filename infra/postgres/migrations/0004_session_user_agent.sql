-- What the browser called itself at the sign-in, so that people recognise their sessions.
alter table sessions add column user_agent text check (length(user_agent) <= 300);
