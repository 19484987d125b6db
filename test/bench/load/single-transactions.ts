import postgres from 'postgres'

/**
 * Baseline: the usual good implementation of registering, one transaction per person. It locks the workshop's row,
 * checks, stores the registration and the queued mail, and updates the counter in one round trip. Its tables are
 * minimal and separate, so that the baseline stays the same while the service grows.
 */
const schemaSql = `
  create table workshops (
    id uuid primary key,
    capacity integer not null,
    taken integer not null default 0 check (taken between 0 and capacity),
    waitlisted integer not null default 0,
    next_seq integer not null default 1,
    closes_at timestamptz not null
  );
  create table registrations (
    id uuid primary key,
    workshop_id uuid not null references workshops (id),
    seq integer not null,
    status text not null,
    name text not null,
    email text not null,
    phone text,
    company text,
    idempotency_key text not null,
    created_at timestamptz not null,
    unique (workshop_id, seq),
    unique (idempotency_key, workshop_id)
  );
  create unique index on registrations (lower(email), workshop_id) where status <> 'cancelled';
  create table mails (
    id bigint primary key generated always as identity,
    registration_id uuid not null references registrations (id),
    kind text not null,
    state text not null default 'pending',
    due_at timestamptz not null
  );
  create index on mails (due_at, id) where state = 'pending';

  create function register_one(
    p_id uuid, p_workshop uuid, p_name text, p_email text, p_phone text, p_company text, p_key text, p_now timestamptz
  ) returns table (outcome text, place integer)
  language plpgsql
  set enable_seqscan = off
  as $$
  declare
    w workshops;
  begin
    select * into w from workshops where id = p_workshop for no key update;
    if p_now >= w.closes_at then
      return query select 'closed', null::integer;
      return;
    end if;
    if exists (select 1 from registrations r where r.idempotency_key = p_key and r.workshop_id = p_workshop) then
      return query select 'replayed', null::integer;
      return;
    end if;
    if exists (
      select 1 from registrations r
      where lower(r.email) = lower(p_email) and r.workshop_id = p_workshop and r.status <> 'cancelled'
    ) then
      return query select 'already_registered', null::integer;
      return;
    end if;
    outcome := case when w.taken < w.capacity and w.waitlisted = 0 then 'confirmed' else 'waitlisted' end;
    place := case when outcome = 'waitlisted' then w.waitlisted + 1 end;
    insert into registrations (id, workshop_id, seq, status, name, email, phone, company, idempotency_key, created_at)
    values (p_id, p_workshop, w.next_seq, outcome, p_name, p_email, p_phone, p_company, p_key, p_now);
    insert into mails (registration_id, kind, due_at) values (p_id, outcome, p_now);
    update workshops
    set taken = taken + (outcome = 'confirmed')::integer,
        waitlisted = waitlisted + (outcome = 'waitlisted')::integer,
        next_seq = next_seq + 1
    where id = p_workshop;
    return next;
  end
  $$;
`

/** Creates the tables and the function in an empty database. */
export async function prepareSingleTransactions(url: string): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => {} })
  await sql.unsafe(schemaSql)
  await sql.end()
}

/** Adds a workshop. Returns its id. */
export async function addWorkshop(url: string, capacity: number): Promise<string> {
  const sql = postgres(url, { max: 1 })
  const id = crypto.randomUUID()
  await sql`insert into workshops (id, capacity, closes_at) values (${id}, ${capacity}, now() + interval '10 days')`
  await sql.end()
  return id
}

/** Registers a person in one transaction. */
export async function registerOne(
  sql: postgres.Sql,
  workshop: string,
  { name, email, phone, company }: { name: string; email: string; phone: string; company: string },
): Promise<void> {
  const [result] = await sql<{ outcome: string }[]>`
    select * from register_one(
      ${crypto.randomUUID()}, ${workshop}, ${name}, ${email}, ${phone}, ${company}, ${crypto.randomUUID()}, ${new Date()}
    )`
  if (result?.outcome !== 'confirmed' && result?.outcome !== 'waitlisted')
    throw new Error(`register_one returned ${result?.outcome}`)
}
