#!/bin/sh
# Runs once, when the database volume is empty: the application is an ordinary role that owns its database.
set -eu
psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --set password="$(cat /run/secrets/jitapp_password)" <<'SQL'
CREATE ROLE jitapp LOGIN PASSWORD :'password';
CREATE DATABASE jitapp OWNER jitapp ENCODING 'UTF8' TEMPLATE template0;
SQL
