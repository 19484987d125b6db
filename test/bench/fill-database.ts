import type postgres from 'postgres'

/** Registrations to insert: this many workshops with this many registrations each, half of them with a seat. */
export type FillOptions = {
  /** Prefix of the workshop slugs: `stored-1`, `stored-2`, … */
  slug: string
  workshops: number
  registrationsEach: number
  /** Whether all mails are sent or queued. */
  mails: 'sent' | 'pending'
}

/**
 * Fills a database a hundred times faster than sign-ups would. Triggers and foreign keys are off meanwhile, and the
 * counters are set. All rows are copies of one registration, its mail and its workshop that the service stored, except
 * for what has to differ; so all columns are filled as by the service.
 * @param templateId the id of that registration
 */
export async function fillDatabase(sql: postgres.Sql, templateId: string, options: FillOptions): Promise<void> {
  const { slug, workshops, registrationsEach, mails } = options
  const seats = Math.ceil(registrationsEach / 2)
  const status = `case when n <= ${seats} then 'confirmed' else 'waitlisted' end`
  const email = `left(md5(w.slug || n), 16) || '@example.com'`
  const belongsToFill = `w.slug ~ '^${slug}-\\d+$'`

  await sql.begin(async (sql) => {
    await sql`set local session_replication_role = replica`
    await copyRows(
      sql,
      'workshops',
      `sample cross join generate_series(1, ${workshops}) n
       where sample.id = (select workshop_id from registrations where id = '${templateId}')`,
      {
        id: 'uuidv7()',
        slug: `'${slug}-' || n`,
        capacity: `${seats}`,
        taken: `${seats}`,
        waitlisted: `${registrationsEach - seats}`,
        next_seq: `${registrationsEach + 1}`,
      },
    )
    await copyRows(
      sql,
      'registrations',
      `sample cross join workshops w cross join generate_series(1, ${registrationsEach}) n
       where sample.id = '${templateId}' and ${belongsToFill}`,
      {
        id: 'uuidv7()',
        workshop_id: 'w.id',
        first_workshop_id: 'w.id',
        seq: 'n',
        status,
        first_status: status,
        seated_at: `case when n <= ${seats} then sample.created_at end`,
        email,
        email_key: email,
        phone: `'+8613' || lpad((random() * 999999999)::bigint::text, 9, '0')`,
        idempotency_key: 'gen_random_uuid()::text',
      },
    )
    await copyRows(
      sql,
      'mails',
      `sample cross join registrations r join workshops w on w.id = r.workshop_id
       where sample.registration_id = '${templateId}' and ${belongsToFill}`,
      {
        uid: 'gen_random_uuid()',
        registration_id: 'r.id',
        kind: 'r.status',
        state: `'${mails}'`,
        due_at: 'sample.created_at',
        ...(mails === 'sent'
          ? { attempt: '1', sent_at: 'sample.created_at', message_id: 'gen_random_uuid()::text' }
          : { attempt: '0', sent_at: 'null', message_id: 'null', first_tried_at: 'null', leased_until: 'null' }),
      },
    )
  })
  await sql`checkpoint`
}

/** Inserts copies of the row that `sample` refers to in `from`, with some columns overridden. */
async function copyRows(
  sql: postgres.TransactionSql,
  table: string,
  from: string,
  overrides: Record<string, string>,
): Promise<void> {
  const columns = await sql<{ name: string }[]>`
    select column_name as name from information_schema.columns
    where table_schema = 'public' and table_name = ${table} and is_identity = 'NO'`
  const names = columns.map(({ name }) => name)
  const values = names.map((name) => overrides[name] ?? `sample.${name}`)
  await sql.unsafe(`insert into ${table} (${names.join(', ')}) select ${values.join(', ')} from ${table} ${from}`)
}
