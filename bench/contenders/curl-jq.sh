#!/usr/bin/env bash
# What most people write first: sign in, then ask every ten seconds.

set -euo pipefail

body=$(jq -n --arg username "$DADOSFERA_USERNAME" --arg password "$DADOSFERA_PASSWORD" \
    '{username: $username, password: $password, totp: null}')
token=$(curl -fsS --cacert "$CA_FILE" -H 'content-type: application/json' -d "$body" "$BASE_URL/auth/sign-in" |
    jq -r .tokens.accessToken)
while true; do
    status=$(curl -fsS --cacert "$CA_FILE" -H "authorization: $token" \
        "$BASE_URL/platform/pipeline/$PIPELINE_ID/pipeline_run/$RUN_ID" | jq -r .last_status)
    echo "$status"
    case $status in
    SUCCESS) exit 0 ;;
    FAILED) exit 1 ;;
    esac
    sleep 10
done
