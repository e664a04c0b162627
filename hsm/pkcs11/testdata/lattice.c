// A PKCS#11 module that stands in front of another and adds ML-DSA as PKCS#11
// 3.2 has it: CKM_ML_DSA_KEY_PAIR_GEN, CKM_ML_DSA, CKK_ML_DSA and
// CKA_PARAMETER_SET. No token that a test can install knows them. It computes
// nothing itself: an oracle, which is the test's own program, makes keys and
// signatures. It reads its orders from the file whose name is its own with
// ".conf" added:
//
//   module /usr/lib/softhsm/libsofthsm2.so
//   oracle /path/of/program
//   wrong                      it signs another message than it was given
//
// Keys stand in the file with ".keys" added, one a line: parameter set, whether
// it is on the token, id, label, seed and public key, all but the first two in
// hexadecimal. Handles count the lines.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef unsigned long W;
typedef W (*F)(W, W, W, W, W, W, W, W, W, W);
typedef struct { unsigned char major, minor; F f[68]; } List;
typedef struct { W type; void *value; W length; } Attribute;
typedef struct { W mechanism; void *parameter; W length; } Mechanism;
typedef struct { int set, token, gone; char id[200], label[200], seed[70], public[5300]; } Key;

enum { MECHANISMS = 7, MECHANISM = 8, DESTROY = 22, GET = 24, FIND_INIT = 26, FIND = 27, SIGN_INIT = 42, SIGN = 43, PAIR = 59 };
enum { BASE = 0x70000000 };

static List *real, mine;
static char path[512], oracle[512], store[600];
static int wrong, keys, matches, matched[64];
static Key key[64];
static W signing;

static void save(void) {
	FILE *f = fopen(store, "w");
	for (int i = 0; f && i < keys; i++)
		if (key[i].token || key[i].gone)
			fprintf(f, "%d %d %s %s %s %s\n", key[i].set, key[i].gone, key[i].id, key[i].label, key[i].seed, key[i].public);
	if (f) fclose(f);
}

static void restore(void) {
	FILE *f = fopen(store, "r");
	for (; f && keys < 64; keys++) {
		Key *k = &key[keys];
		if (fscanf(f, "%d %d %199s %199s %69s %5299s", &k->set, &k->gone, k->id, k->label, k->seed, k->public) != 6) break;
		k->token = 1;
	}
	if (f) fclose(f);
}

static void hex(char *out, const unsigned char *in, W n) {
	for (W i = 0; i < n; i++) sprintf(out + 2 * i, "%02x", in[i]);
	if (n == 0) strcpy(out, "-");
}

static W bytes(unsigned char *out, const char *in) {
	W n = 0;
	unsigned b;
	for (; in[0] && in[1] && sscanf(in, "%2x", &b) == 1; in += 2) out[n++] = b;
	return n;
}

// ask runs the oracle and reads two words of its answer.
static int ask(const char *question, char *first, char *second, size_t room) {
	char *command = malloc(strlen(question) + strlen(oracle) + 40), format[32];
	sprintf(command, "ML_DSA_ORACLE=%s %s", question, oracle);
	FILE *p = popen(command, "r");
	snprintf(format, sizeof format, "%%%zus %%%zus", room - 1, room - 1);
	int n = p ? fscanf(p, format, first, second) : 0;
	if (p) pclose(p);
	free(command);
	return n;
}

static Attribute *find(Attribute *t, W n, W type) {
	for (W i = 0; i < n; i++) if (t[i].type == type) return &t[i];
	return NULL;
}

static W generate(Attribute *pub, W npub, Attribute *priv, W npriv, W *hpub, W *hpriv) {
	static char seed[12000], public[12000];
	char question[32];
	Attribute *set = find(pub, npub, 0x61D), *id = find(priv, npriv, 0x102), *label = find(priv, npriv, 3), *token = find(priv, npriv, 1);
	if (!set || set->length != sizeof(W) || keys == 64) return 0xD0; // CKR_TEMPLATE_INCOMPLETE
	Key *k = &key[keys];
	memset(k, 0, sizeof *k);
	k->set = (int)*(W *)set->value;
	k->token = token && *(unsigned char *)token->value;
	hex(k->id, id ? id->value : NULL, id ? id->length : 0);
	hex(k->label, label ? label->value : NULL, label ? label->length : 0);
	sprintf(question, "make:%d", k->set);
	if (ask(question, seed, public, sizeof seed) != 2) return 0x5;
	strcpy(k->seed, seed);
	strcpy(k->public, public);
	*hpub = BASE + 2 * keys;
	*hpriv = BASE + 2 * keys + 1;
	keys++;
	save();
	return 0;
}

static W give(Attribute *a, const void *value, W n) {
	if (a->value && a->length < n) { a->length = -1; return 0x150; }
	if (a->value) memcpy(a->value, value, n);
	a->length = n;
	return 0;
}

static W get(W handle, Attribute *t, W n) {
	Key *k = &key[(handle - BASE) / 2];
	int private = (handle - BASE) % 2;
	W rv = 0, class = private ? 3 : 2, type = 0x4A, set = k->set;
	unsigned char yes = 1, no = 0, buffer[2700];
	if (k->gone) return 0x82; // CKR_OBJECT_HANDLE_INVALID
	for (W i = 0; i < n; i++) {
		W one = 0;
		switch (t[i].type) {
		case 0x0: one = give(&t[i], &class, sizeof class); break;
		case 0x1: one = give(&t[i], k->token ? &yes : &no, 1); break;
		case 0x3: one = give(&t[i], buffer, bytes(buffer, k->label)); break;
		case 0x100: one = give(&t[i], &type, sizeof type); break;
		case 0x102: one = give(&t[i], buffer, bytes(buffer, k->id)); break;
		case 0x61D: one = give(&t[i], &set, sizeof set); break;
		case 0x11: case 0x637: // CKA_VALUE, CKA_SEED
			if (private) { t[i].length = -1; one = 0x11; break; } // CKR_ATTRIBUTE_SENSITIVE
			if (t[i].type == 0x637) { t[i].length = -1; one = 0x12; break; }
			one = give(&t[i], buffer, bytes(buffer, k->public));
			break;
		case 0x2: case 0x103: case 0x108: case 0x163: case 0x164: case 0x165: // private, sensitive, sign, local, never, always
			if (private) { one = give(&t[i], &yes, 1); break; }
			t[i].length = -1; one = 0x12; break;
		case 0x162: case 0x105: case 0x107: case 0x109: case 0x10C: // extractable, decrypt, unwrap, sign recover, derive
			if (private) { one = give(&t[i], &no, 1); break; }
			t[i].length = -1; one = 0x12; break;
		default: t[i].length = -1; one = 0x12; // CKR_ATTRIBUTE_TYPE_INVALID
		}
		if (one) rv = one;
	}
	return rv;
}

static int fits(W handle, Attribute *t, W n) {
	unsigned char buffer[2700];
	if (key[(handle - BASE) / 2].gone) return 0;
	for (W i = 0; i < n; i++) {
		Attribute have = { t[i].type, buffer, sizeof buffer };
		if (get(handle, &have, 1) || have.length != t[i].length || memcmp(buffer, t[i].value, have.length)) return 0;
	}
	return 1;
}

static W sign(const unsigned char *data, W n, unsigned char *out, W *length) {
	static char answer[12000], rest[12000];
	Key *k = &key[(signing - BASE) / 2];
	W need = k->set == 1 ? 2420 : k->set == 2 ? 3309 : 4627;
	if (!out) { *length = need; return 0; }
	if (*length < need) return 0x150; // CKR_BUFFER_TOO_SMALL
	char *question = malloc(2 * n + 200), *message = malloc(2 * n + 2);
	hex(message, data, n);
	if (wrong) message[0] = message[0] == '0' ? '1' : '0';
	sprintf(question, "sign:%d:%s:%s", k->set, k->seed, message);
	int got = ask(question, answer, rest, sizeof answer);
	free(question);
	free(message);
	if (got < 1) return 0x5;
	*length = bytes(out, answer);
	return 0;
}

static W forward(int i, W a, W b, W c, W d, W e, W f, W g, W h, W j, W k) {
	static const W added[2] = { 0x1C, 0x1D };
	Mechanism *m = (Mechanism *)b;
	W rv;
	switch (i) {
	case MECHANISMS: {
		W room = *(W *)c;
		rv = real->f[i](a, b, c, d, e, f, g, h, j, k);
		if (rv) return rv;
		W n = *(W *)c;
		*(W *)c = n + 2;
		if (b && room < n + 2) return 0x150;
		if (b) memcpy((W *)b + n, added, sizeof added);
		return 0;
	}
	case MECHANISM:
		if (b != 0x1C && b != 0x1D) break;
		((W *)c)[0] = 1312; ((W *)c)[1] = 2592; ((W *)c)[2] = b == 0x1C ? 0x10001 : 0x2801;
		return 0;
	case PAIR:
		if (m->mechanism != 0x1C) break;
		return generate((Attribute *)c, d, (Attribute *)e, f, (W *)g, (W *)h);
	case DESTROY:
		if (b < BASE) break;
		key[(b - BASE) / 2].gone = 1; // both halves: tests remove whole pairs
		save();
		return 0;
	case GET:
		if (b < BASE) break;
		return get(b, (Attribute *)c, d);
	case FIND_INIT:
		matches = 0;
		for (int n = 0; n < 2 * keys && matches < 64; n++)
			if (fits(BASE + n, (Attribute *)b, c)) matched[matches++] = BASE + n;
		break;
	case FIND:
		if (matches == 0) break;
		for (*(W *)d = 0; matches > 0 && *(W *)d < c; (*(W *)d)++) ((W *)b)[*(W *)d] = matched[--matches];
		return 0;
	case SIGN_INIT:
		signing = 0;
		if (c < BASE) break;
		if (m->mechanism != 0x1D) return 0x63; // CKR_KEY_TYPE_INCONSISTENT
		signing = c;
		return 0;
	case SIGN:
		if (!signing) break;
		return sign((unsigned char *)b, c, (unsigned char *)d, (W *)e);
	}
	return real->f[i](a, b, c, d, e, f, g, h, j, k);
}

#define A W a, W b, W c, W d, W e, W f, W g, W h, W j, W k
#define ONE(i) static W f##i(A) { return forward(i, a, b, c, d, e, f, g, h, j, k); }
#define TEN(X, t) X(t##0) X(t##1) X(t##2) X(t##3) X(t##4) X(t##5) X(t##6) X(t##7) X(t##8) X(t##9)
#define ALL(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) TEN(X, 1) TEN(X, 2) TEN(X, 3) TEN(X, 4) TEN(X, 5) \
	X(60) X(61) X(62) X(63) X(64) X(65) X(66) X(67)
ALL(ONE)

static W load(void) {
	Dl_info me;
	char name[600], line[600];
	if (!dladdr((void *)load, &me)) return 5;
	snprintf(name, sizeof name, "%s.conf", me.dli_fname);
	snprintf(store, sizeof store, "%s.keys", me.dli_fname);
	FILE *file = fopen(name, "r");
	if (!file) return 5;
	while (fgets(line, sizeof line, file)) {
		line[strcspn(line, "\n")] = 0;
		sscanf(line, "module %511s", path);
		sscanf(line, "oracle %511s", oracle);
		wrong |= !strcmp(line, "wrong");
	}
	fclose(file);
	restore();
	void *handle = dlopen(path, RTLD_NOW);
	W (*list)(List **) = handle ? (W (*)(List **))dlsym(handle, "C_GetFunctionList") : NULL;
	if (!list || list(&real)) return 5;
	mine.major = real->major;
	mine.minor = real->minor;
#define SET(i) mine.f[i] = f##i;
	ALL(SET)
	return 0;
}

W C_GetFunctionList(List **list) {
	if (!real && load()) return 5;
	*list = &mine;
	return 0;
}
