-- Runs and steps as most would store them: a table each. With the indexes that serve the list in order.
create table chats (
	id text primary key not null,
	user_id text not null,
	created_at text not null,
	deleted_at text
);

create table workflow_runs (
	id text primary key not null,
	chat_id text not null references chats (id),
	workflow_id text not null,
	status text not null,
	started_at text,
	completed_at text,
	error text,
	start_order text generated always as (ifnull(started_at, '~')) virtual not null
);

create index workflow_runs_of_chat on workflow_runs (chat_id, start_order, id);

create table steps (
	run_id text not null references workflow_runs (id),
	id text not null,
	status text not null,
	started_at text,
	completed_at text,
	error text,
	name text,
	position integer,
	primary key (run_id, id)
);

create index steps_of_run on steps (run_id, position);
