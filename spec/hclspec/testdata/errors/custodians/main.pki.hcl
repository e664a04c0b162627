custodians "alone" {
  threshold = 1
  holder "alice" {}
  holder "bob" {}
}

custodians "short" {
  threshold = 3
  holder "alice" {}
  holder "Alice" {}
}

custodians "keys" {
  threshold = 2
  holder "alice" { recipient = "age1qqq" }
  holder "bob" { recipient = "age1qqq" }
  holder "carol" { recipient = "AGE-SECRET-KEY-1QQQ" }
  holder "dave" { recipient = "ssh-ed25519 AAAA" }
  holder "erin " {}
}

custodians "sites" {
  threshold = 2
  holder "alice" { site = "berlin" }
  holder "bob" { site = "berlin" }
  holder "carol" { site = "lisbon" }
}

custodians "partly" {
  threshold = 2
  holder "alice" { site = "berlin" }
  holder "bob" {}
  holder "carol" {}
}

custodians "files" {
  threshold = 2
  holder "alice" { identity = "../alice.key" }
  holder "bob" { identity = "bob.key" }

  holder "carol" {
    identity  = "secrets/carol.key"
    recipient = "age1qqq"
  }
}

secret "a" { custodians = custodians.alone }
secret "b" { custodians = custodians.short }
secret "c" { custodians = custodians.keys }
secret "d" { custodians = custodians.sites }
secret "e" { custodians = custodians.partly }
secret "f" { custodians = custodians.files }

key_store "file" "a" {
  path     = "keys/a"
  password = secret.a
}

key_store "file" "b" {
  path     = "keys/b"
  password = secret.b
}

key_store "file" "c" {
  path     = "keys/c"
  password = secret.c
}

key_store "file" "d" {
  path     = "keys/d"
  password = secret.d
}

key_store "file" "e" {
  path     = "keys/e"
  password = secret.e
}

key_store "file" "f" {
  path     = "keys/f"
  password = secret.f
}
