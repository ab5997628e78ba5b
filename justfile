# A menu; the work is done by `cargo xtask`.

# list what there is
default:
    @just --list

# from nothing to a running service
up *ARGS:
    cargo xtask up {{ARGS}}

# every test, on servers of its own
test *ARGS:
    cargo xtask test {{ARGS}}

# format, lints, docs, layers, generated files
tidy *ARGS:
    cargo xtask tidy {{ARGS}}

# what CI runs
ci:
    .ci/run

# apply missing migrations to DATABASE_URL
migrate:
    cargo xtask migrate

# metric types, and with --demo a demo user
seed *ARGS:
    cargo xtask seed {{ARGS}}

# the stress test, over HTTP
stress *ARGS:
    cargo xtask stress {{ARGS}}

# figures against their targets, over HTTP
bench *ARGS:
    cargo xtask bench {{ARGS}}

# kill everything at random, and count what is left
ledger *ARGS:
    cargo xtask ledger {{ARGS}}

# write docs/openapi.json anew
openapi:
    cargo xtask openapi
