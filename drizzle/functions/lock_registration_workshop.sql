-- revision 1
-- Locks the workshop of a registration and returns its current row; null if there is no such registration.
-- Checks again after the lock, because the registration may have been moved meanwhile.
create or replace function lock_registration_workshop(p_registration uuid) returns workshops
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
