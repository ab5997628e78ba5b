#!/bin/sh
# Runs once, when docker-compose.yml creates the database server: creates the database of the
# service and a role that owns it and nothing else.
set -eu
psql --set ON_ERROR_STOP=1 --set password="$SERVICE_PASSWORD" \
    --username postgres --dbname postgres <<'SQL'
CREATE ROLE timeseries LOGIN PASSWORD :'password';
CREATE DATABASE timeseries OWNER timeseries;
SQL
