#!/bin/sh
# Puts everything that is missing in its place: `sh setup.sh run`, `demo` or `test`. Safe to repeat; quick when
# nothing is missing. Debian packages go to the system, all else stays in this checkout (.venv and var).
set -eu
cd "$(dirname "$0")"
want=${1:-run}
say() { printf '\033[1m== %s\033[0m\n' "$*" >&2; }
fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }

# ── Python ────────────────────────────────────────────────────────────────────────────────────────────────────
python=${PYTHON:-python3}
command -v "$python" >/dev/null || fail "Python 3.11 or newer is missing; get it with: apt-get install python3"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
  fail "$("$python" -V) is too old: Python 3.11 or newer is needed (or name one: PYTHON=/path/to/python3 make ...)"

# ── Debian packages ───────────────────────────────────────────────────────────────────────────────────────────
packages=""
need() { # need PROGRAM PACKAGE: the package unless the program is there
  command -v "$1" >/dev/null || packages="$packages $2"
}
"$python" -c 'import ensurepip' 2>/dev/null || packages="$packages python3-venv"
asterisk_major=$(asterisk -V 2>/dev/null | sed -n 's/^Asterisk \([0-9]*\).*/\1/p')
if [ "${asterisk_major:-0}" -lt 18 ] && [ ! -x var/asterisk/usr/sbin/asterisk ]; then need mmdebstrap mmdebstrap; fi
case $want in demo|test) need sipp sip-tester ;; esac
if [ "$want" = test ] || [ "${MONITORING:-}" = 1 ]; then
  need promtool prometheus
  need amtool prometheus-alertmanager
fi
if [ "$want" = test ]; then
  need chromium chromium
  need npm npm
  need redis-server redis-server
  need rabbitmq-server rabbitmq-server
  ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || packages="$packages postgresql"
  ls /usr/share/fonts/opentype/noto/NotoSansCJK* >/dev/null 2>&1 || packages="$packages fonts-noto-cjk"
fi
if [ -n "$packages" ]; then
  say "Debian packages:$packages"
  command -v apt-get >/dev/null || fail "these are missing, and there is no apt-get to get them:$packages"
  [ "$(id -u)" = 0 ] || fail "these are missing:$packages. As root: apt-get install$packages"
  export DEBIAN_FRONTEND=noninteractive
  # Only programs are wanted: what is a daemon is neither started now nor with the machine.
  policy=/usr/sbin/policy-rc.d
  if [ -e "$policy" ]; then policy=; else
    trap 'rm -f "$policy"; exit 130' INT TERM
    printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod 755 "$policy"
  fi
  log=$(mktemp)
  status=0
  # shellcheck disable=SC2086 # a list of words is meant
  { apt-get -q update && apt-get -qy install --no-install-recommends $packages; } >"$log" 2>&1 || status=$?
  if [ -n "$policy" ]; then rm -f "$policy" && trap - INT TERM; fi
  for daemon in prometheus prometheus-alertmanager; do
    case "$packages " in *" $daemon "*) systemctl -q disable "$daemon" >>"$log" 2>&1 || true ;; esac
  done
  [ "$status" = 0 ] || { tail -20 "$log" >&2; rm -f "$log"; fail "apt-get could not install:$packages"; }
  rm -f "$log"
fi

# ── Asterisk, beside the rest: it takes the longest ───────────────────────────────────────────────────────────
mkdir -p var
"$python" -m asterisk_conf.install var/asterisk >var/asterisk-setup.log 2>&1 &
asterisk=$!
trap 'kill $asterisk 2>/dev/null || true' INT TERM
if [ ! -x var/asterisk/usr/sbin/asterisk ] && [ "${asterisk_major:-0}" -lt 18 ]; then
  say "Asterisk: unpacking Debian's packages into var/asterisk (about a minute, in the background)"
fi

# ── Python packages, exactly those of the lock file ───────────────────────────────────────────────────────────
lock=requirements.lock
[ "$want" = test ] && lock=requirements-dev.lock
stamp=.venv/.$lock.$(cksum <"$lock" | cut -d' ' -f1)
if [ ! -e "$stamp" ]; then
  say "Python packages: $lock"
  [ -x .venv/bin/python ] || "$python" -m venv .venv
  install() { .venv/bin/python -m pip install --no-cache-dir --disable-pip-version-check "$@" >var/pip.log 2>&1; }
  install --require-hashes -r "$lock" && install --no-deps --no-build-isolation -e . ||
    { tail -20 var/pip.log >&2; fail "the Python packages of $lock could not be installed (var/pip.log)"; }
  rm -f .venv/."$lock".*
  : >"$stamp"
fi

# ── What browsers get beside our own files, exactly that of console/npm/package-lock.json ──────────────────────
.venv/bin/python -m console.fetch >var/npm.log 2>&1 ||
  { tail -20 var/npm.log >&2; fail "the pages' packages could not be fetched (var/npm.log)"; }

wait $asterisk || { cat var/asterisk-setup.log >&2; fail "there is no Asterisk"; }
say "$(tail -1 var/asterisk-setup.log), ready"
