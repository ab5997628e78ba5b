# Shortcuts; `cargo xtask --help` describes the commands and their options.

# list the recipes
default:
    @just --list

# build and run the service with a private database, migrated and seeded
[group('run')]
up *ARGS:
    cargo xtask up {{ARGS}}

# apply missing migrations to DATABASE_URL
[group('run')]
migrate *ARGS:
    cargo xtask migrate {{ARGS}}

# store the metric types, and with --demo a demo user
[group('run')]
seed *ARGS:
    cargo xtask seed {{ARGS}}

# run the tests on private servers
[group('check')]
test *ARGS:
    cargo xtask test {{ARGS}}

# check format, lints, docs, layers, module cycles, generated files and dependencies
[group('check')]
tidy *ARGS:
    cargo xtask tidy {{ARGS}}

# print the arrows between modules and between files
[group('check')]
graph:
    cargo run --quiet --package time-series-tidy --example module_graph

# kill servers during writes and check the stored data
[group('check')]
crash-test *ARGS:
    cargo xtask crash-test {{ARGS}}

# run everything that CI runs
[group('check')]
ci:
    .ci/run

# measure the service against its targets, over HTTP
[group('measure')]
bench *ARGS:
    cargo xtask bench {{ARGS}}

# run the stress test, over HTTP
[group('measure')]
stress *ARGS:
    cargo xtask stress {{ARGS}}

# write docs/openapi.json
[group('generate')]
openapi:
    cargo xtask openapi

# write the list of known module cycles
[group('generate')]
accept-cycles:
    cargo run --quiet --package time-series-tidy --example module_graph -- --accept
