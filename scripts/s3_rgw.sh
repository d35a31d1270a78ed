#!/bin/sh
# Start a throw-away Ceph object gateway on the loopback, the strict S3 server of the test suite.
#
#   s3_rgw.sh start FOLDER PORT   print the settings for the tests once it answers
#   s3_rgw.sh stop  FOLDER        end every process that start began, and remove the folder
#
# Needs root and Debian's packages: radosgw ceph-mon ceph-mgr ceph-osd ceph-common
# (apt-get install --no-install-recommends).
# One monitor, one manager, one bluestore on a sparse file, one gateway; nothing leaves 127.0.0.1.
set -eu

usage() { sed -n '2,9s/^# \{0,1\}//p' "$0" >&2; exit 64; }
say() { printf 's3_rgw: %s\n' "$*" >&2; }

[ $# -ge 2 ] || usage
action=$1
folder=$2

stop() {
    for name in radosgw ceph-osd ceph-mgr ceph-mon; do
        file="$folder/run/$name.pid"
        [ -s "$file" ] || continue
        pid=$(cat "$file")
        kill "$pid" 2>/dev/null || continue
        turns=0
        while kill -0 "$pid" 2>/dev/null && [ $turns -lt 50 ]; do sleep 0.1; turns=$((turns + 1)); done
        kill -9 "$pid" 2>/dev/null || true
    done
    rm -rf "$folder"
}

case $action in
    stop) [ -f "$folder/ceph.conf" ] || { say "nothing was started in $folder"; exit 0; }; stop; exit 0 ;;
    start) [ $# -eq 3 ] || usage; port=$3 ;;
    *) usage ;;
esac

[ "$(id -u)" = 0 ] || { say "the Ceph gateway needs root"; exit 69; }
for tool in ceph-mon ceph-mgr ceph-osd radosgw ceph-authtool monmaptool ceph radosgw-admin; do
    command -v "$tool" >/dev/null || { say "$tool is missing: apt-get install --no-install-recommends radosgw ceph-mon ceph-mgr ceph-osd ceph-common"; exit 69; }
done
[ ! -e "$folder/ceph.conf" ] || { say "$folder is in use: stop it first"; exit 73; }

mkdir -p "$folder/run" "$folder/log" "$folder/mon" "$folder/mgr" "$folder/osd" "$folder/rgw"
folder=$(cd "$folder" && pwd)
fsid=$(cat /proc/sys/kernel/random/uuid)
mon_port=$((port + 1))
cat >"$folder/ceph.conf" <<CONF
[global]
fsid = $fsid
mon host = [v2:127.0.0.1:$mon_port/0]
mon initial members = a
public addr = 127.0.0.1
cluster addr = 127.0.0.1
ms bind msgr1 = false
auth cluster required = cephx
auth service required = cephx
auth client required = cephx
auth allow insecure global id reclaim = false
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
osd pool default pgp num = 8
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
mon warn on pool no redundancy = false
mon max pg per osd = 1000
mon data avail crit = 1
mon osd full ratio = 0.99
admin socket = $folder/run/\$name.asok
run dir = $folder/run
log file = $folder/log/\$name.log
log to stderr = false
keyring = $folder/keyring.\$name
[mon]
mon data = $folder/mon
keyring = $folder/keyring.mon
[mgr]
mgr data = $folder/mgr
mgr initial modules =
[osd]
osd data = $folder/osd
osd objectstore = bluestore
bluestore block size = 4294967296
bluestore block create = true
bluestore cache autotune = false
bluestore cache size = 67108864
osd memory target = 939524096
[client.rgw]
rgw data = $folder/rgw
rgw frontends = beast endpoint=127.0.0.1:$port
rgw enable usage log = false
CONF

c="$folder/ceph.conf"
run() { timeout 60 ceph -c "$c" -n client.admin "$@" >/dev/null 2>>"$folder/log/start.log"; }
trap 'code=$?; [ $code = 0 ] || { say "start failed; the end of its log:"; tail -n 20 "$folder"/log/*.log >&2; stop; }' EXIT

ceph-authtool -C "$folder/keyring.mon" --gen-key -n mon. --cap mon 'allow *' >/dev/null
ceph-authtool -C "$folder/keyring.client.admin" --gen-key -n client.admin \
    --cap mon 'allow *' --cap osd 'allow *' --cap mgr 'allow *' >/dev/null
ceph-authtool -C "$folder/keyring.mgr.x" --gen-key -n mgr.x \
    --cap mon 'allow profile mgr' --cap osd 'allow *' --cap mds 'allow *' >/dev/null
ceph-authtool -C "$folder/keyring.osd.0" --gen-key -n osd.0 \
    --cap mon 'allow profile osd' --cap mgr 'allow profile osd' --cap osd 'allow *' >/dev/null
ceph-authtool -C "$folder/keyring.client.rgw" --gen-key -n client.rgw \
    --cap mon 'allow rwx' --cap osd 'allow rwx' --cap mgr 'allow rw' >/dev/null
for name in client.admin mgr.x osd.0 client.rgw; do
    ceph-authtool "$folder/keyring.mon" --import-keyring "$folder/keyring.$name" >/dev/null
done
monmaptool --create --addv a "[v2:127.0.0.1:$mon_port]" --fsid "$fsid" --enable-all-features "$folder/monmap" >/dev/null
ceph-mon -c "$c" --mkfs -i a --monmap "$folder/monmap" --keyring "$folder/keyring.mon"

ceph-mon -c "$c" -i a --pid-file "$folder/run/ceph-mon.pid" </dev/null >>"$folder/log/start.log" 2>&1
run mon versions
ceph-mgr -c "$c" -i x --pid-file "$folder/run/ceph-mgr.pid" </dev/null >>"$folder/log/start.log" 2>&1
osd_uuid=$(cat /proc/sys/kernel/random/uuid)
run osd new "$osd_uuid" 0
ceph-osd -c "$c" -i 0 --mkfs --osd-uuid "$osd_uuid" >>"$folder/log/start.log" 2>&1
run osd crush add osd.0 1.0 root=default host=local
ceph-osd -c "$c" -i 0 --pid-file "$folder/run/ceph-osd.pid" </dev/null >>"$folder/log/start.log" 2>&1
radosgw -c "$c" -n client.rgw --pid-file "$folder/run/radosgw.pid" </dev/null >>"$folder/log/start.log" 2>&1

turns=0
until curl -sf -o /dev/null "http://127.0.0.1:$port/"; do
    turns=$((turns + 1))
    [ $turns -lt 240 ] || { say "the gateway did not answer within a minute"; exit 1; }
    sleep 0.25
done
access=gatehouse-tests
secret=$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')
timeout 60 radosgw-admin -c "$c" -n client.rgw user create --uid=tests --display-name=tests \
    --access-key="$access" --secret-key="$secret" >/dev/null 2>>"$folder/log/start.log"
printf 'endpoint=http://127.0.0.1:%s\naccess_key=%s\nsecret_key=%s\n' "$port" "$access" "$secret"
