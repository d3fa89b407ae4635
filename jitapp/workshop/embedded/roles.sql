-- The two roles of an installation and its database. Run again it changes nothing; an installation of one role is
-- divided. A superuser runs it, such as
--   OWNER_PASSWORD=... APPLICATION_PASSWORD=... psql --no-psqlrc -v ON_ERROR_STOP=1 -d postgres -f roles.sql
-- jitapp_owner owns everything and runs migrations; jitapp is the application, and has what the owner grants after
-- each migration (jitapp/workshop/grants.py).
\getenv owner_password OWNER_PASSWORD
\getenv application_password APPLICATION_PASSWORD
SELECT format('CREATE ROLE %I', name) FROM (VALUES ('jitapp'), ('jitapp_owner')) AS wanted (name)
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec
ALTER ROLE jitapp_owner LOGIN NOSUPERUSER PASSWORD :'owner_password';
ALTER ROLE jitapp LOGIN NOSUPERUSER PASSWORD :'application_password';
-- A restore ends the application's connections.
SELECT 'GRANT jitapp TO jitapp_owner' WHERE NOT pg_has_role('jitapp_owner', 'jitapp', 'MEMBER') \gexec
SELECT 'CREATE DATABASE jitapp OWNER jitapp_owner ENCODING ''UTF8'' TEMPLATE template0'
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = 'jitapp') \gexec
\connect jitapp
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_shdepend WHERE refobjid = 'jitapp'::regrole AND deptype = 'o'
               AND dbid IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))) THEN
        REASSIGN OWNED BY jitapp TO jitapp_owner;
        -- What still runs goes on; the migration that follows narrows this down.
        GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO jitapp;
        GRANT USAGE, SELECT, UPDATE ON ALL SEQUENCES IN SCHEMA public TO jitapp;
    END IF;
END $$;
