-- revision 1
-- Locks the workshop that a registration is in and gives it as it is then; null if there is no such registration.
-- Whoever waited for the lock looks again, because the registration may have moved meanwhile.
create or replace function lock_workshop_of(p_registration uuid) returns workshops
language plpgsql as $$
declare
  v_workshop workshops;
begin
  loop
    select w.* into v_workshop
    from workshops w
    where w.id = (select workshop_id from registrations where id = p_registration)
    for no key update;

    exit when v_workshop.id is null
      or exists (select 1 from registrations where id = p_registration and workshop_id = v_workshop.id);
  end loop;
  return v_workshop;
end
$$;
