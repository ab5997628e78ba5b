#!/bin/sh
# Runs once, when the database server of docker-compose.yml is made: a role that owns its database and nothing else.
set -eu
psql --set ON_ERROR_STOP=1 --set password="$SERVICE_PASSWORD" --username postgres --dbname postgres <<'SQL'
CREATE ROLE timeseries LOGIN PASSWORD :'password';
CREATE DATABASE timeseries OWNER timeseries;
SQL
