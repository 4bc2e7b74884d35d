-- Style: Supabase.
create table public.profiles (
  id uuid primary key default gen_random_uuid(),
  username text unique,
  avatar_url text,
  updated_at timestamptz
);
alter table public.profiles enable row level security;
create policy "Public profiles are viewable by everyone." on public.profiles for select using (true);
create policy "Users can insert their own profile." on public.profiles for insert with check (current_user = username);
create function public.handle_new_user() returns trigger language plpgsql security definer set search_path = '' as $$
begin
  insert into public.profiles (id, username) values (new.id, new.email);
  return new;
end;
$$;
create trigger on_auth_user_created after insert on auth.users for each row execute procedure public.handle_new_user(); --! create-trigger
insert into storage.buckets (id, name) values ('avatars', 'avatars');
alter publication supabase_realtime add table public.profiles;
