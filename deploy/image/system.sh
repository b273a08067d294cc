#!/bin/sh
# Copies to a folder what the processes need of Debian: libraries, certificates, Node, and git with the programs that it
# runs. The folder becomes the root of the image: no package manager in it, and of tools only what git calls.
# Each package keeps its licence, and the record by which scanners find it.
# usage: system.sh DIR
set -eu
root=$1
# Copied whole, because a running program loads more of them: character sets, the locale C.UTF-8, libraries of native modules.
packages='libc6 libc-bin libgcc-s1 libstdc++6'
# git runs `sh` and `git-upload-pack` for a repository on this machine, and `true` where a server asks for a password.
programs='/usr/local/bin/node /usr/bin/git /usr/bin/git-upload-pack /usr/lib/git-core/git-remote-http
  /usr/lib/git-core/git-remote-https /usr/bin/sh /usr/bin/true'
data='/etc/passwd /etc/group /etc/nsswitch.conf /etc/os-release /usr/lib/os-release /etc/debian_version
  /etc/ssl/certs/ca-certificates.crt /usr/share/git-core/templates'
ls $programs $data >/dev/null

linked() {
  printf '%s\n' $programs
  ldd $programs | awk '$2 == "=>" { print $3 }'
}
files() {
  dpkg-query --listfiles $packages | grep -v -e '^/usr/share/' -e '^/usr/s*bin/' -e '^/sbin/'
  linked
  linked | xargs readlink -f
  find $data
}
# Directories like /lib are links to those below /usr.
for dir in bin sbin lib lib64; do
  if [ -L "/$dir" ]; then mkdir -p "$root/usr/$dir" && cp -P "/$dir" "$root"; fi
done
files | sed 's,^/\(bin\|sbin\|lib\|lib64\)/,/usr/\1/,' | sort -u | while read -r file; do
  if [ -f "$file" ] || [ -L "$file" ]; then echo "${file#/}"; fi
done | tar -C / --create --no-recursion --files-from - | tar -C "$root" --extract

owners() {
  for file in $(linked); do dpkg-query --search "*${file#/usr}" 2>/dev/null || true; done |
    sed -n 's/^\([a-z0-9.+-]*\):.*/\1/p'
  printf '%s\n' $packages base-files ca-certificates
}
mkdir -p "$root/var/lib/dpkg/status.d"
for package in $(owners | sort -u); do
  dpkg-query --status "$package" >"$root/var/lib/dpkg/status.d/$package"
  mkdir -p "$root/usr/share/doc/$package"
  cp -L "/usr/share/doc/$package/copyright" "$root/usr/share/doc/$package"
done

mkdir -p "$root/tmp" "$root/data" "$root/home/node"
chmod 1777 "$root/tmp"
chown node:node "$root/data" "$root/home/node"
