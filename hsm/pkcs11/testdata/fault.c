// A PKCS#11 module that stands in front of another and makes faults. It reads
// its orders from the file whose name is its own with ".conf" added:
//
//   module /usr/lib/softhsm/libsofthsm2.so
//   C_Sign 2 return 0x32      the second C_Sign returns CKR_DEVICE_REMOVED
//   C_Sign 1 after 0x32       it does its work, and then says so
//   C_Sign 1 flip | trunc     it changes the signature
//   C_Login 1 hang | kill | segv | killafter | killin MICROSECONDS
//   trace FILE                one line for each call
//   label 7                   it shows seven characters of each label
//   id 2                      it keeps two bytes of each new key's id
//   idmax 2                   it refuses a new key with a longer id
//   nosession                 it refuses keys that live in a session alone
//   flags 0x40000             its tokens have these flags besides
//   pad PIN                   its tokens have a PIN pad, on which someone enters this
//   env NAME VALUE            the other module sees this variable
//
// Every function of the standard takes words, so one wrapper of ten words
// fits all of them.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef unsigned long W;
typedef W (*F)(W, W, W, W, W, W, W, W, W, W);
typedef struct { unsigned char major, minor; F f[68]; } List;

static const char *names[68] = {
	"C_Initialize", "C_Finalize", "C_GetInfo", "C_GetFunctionList", "C_GetSlotList", "C_GetSlotInfo", "C_GetTokenInfo",
	"C_GetMechanismList", "C_GetMechanismInfo", "C_InitToken", "C_InitPIN", "C_SetPIN", "C_OpenSession", "C_CloseSession",
	"C_CloseAllSessions", "C_GetSessionInfo", "C_GetOperationState", "C_SetOperationState", "C_Login", "C_Logout",
	"C_CreateObject", "C_CopyObject", "C_DestroyObject", "C_GetObjectSize", "C_GetAttributeValue", "C_SetAttributeValue",
	"C_FindObjectsInit", "C_FindObjects", "C_FindObjectsFinal", "C_EncryptInit", "C_Encrypt", "C_EncryptUpdate",
	"C_EncryptFinal", "C_DecryptInit", "C_Decrypt", "C_DecryptUpdate", "C_DecryptFinal", "C_DigestInit", "C_Digest",
	"C_DigestUpdate", "C_DigestKey", "C_DigestFinal", "C_SignInit", "C_Sign", "C_SignUpdate", "C_SignFinal",
	"C_SignRecoverInit", "C_SignRecover", "C_VerifyInit", "C_Verify", "C_VerifyUpdate", "C_VerifyFinal",
	"C_VerifyRecoverInit", "C_VerifyRecover", "C_DigestEncryptUpdate", "C_DecryptDigestUpdate", "C_SignEncryptUpdate",
	"C_DecryptVerifyUpdate", "C_GenerateKey", "C_GenerateKeyPair", "C_WrapKey", "C_UnwrapKey", "C_DeriveKey",
	"C_SeedRandom", "C_GenerateRandom", "C_GetFunctionStatus", "C_CancelFunction", "C_WaitForSlotEvent",
};

static List *real, mine;
static int calls[68];
static char trace[512], orders[64][3][64];
static int count;
static W shown, kept, most, flags;
static int nosession;
static char pad[64];

// asked looks at a key's template, and shortens its id when that is wanted.
static W asked(W *t, W n) {
	for (W i = 0; i < n; i++, t += 3) { // type, value, length
		if (t[0] == 0x1 && nosession && t[2] == 1 && *(unsigned char *)t[1] == 0) return 0x13;
		if (t[0] == 0x102 && most && t[2] > most) return 0x13;
		if (t[0] == 0x102 && kept && t[2] > kept) t[2] = kept;
	}
	return 0;
}

static void *killer(void *wait) {
	usleep((useconds_t)(W)wait);
	kill(getpid(), SIGKILL);
	return NULL;
}

static W forward(int i, W a, W b, W c, W d, W e, W f, W g, W h, W j, W k) {
	// Each C_Sign of callers that ask for the length first counts once.
	int n = i == 43 && d == 0 ? 0 : ++calls[i];
	if (trace[0] && n) {
		FILE *t = fopen(trace, "a");
		if (t) { fprintf(t, "%s %d\n", names[i], n); fclose(t); }
	}
	const char *what = NULL, *with = "";
	for (int o = 0; o < count; o++) {
		char *end;
		if (strcmp(orders[o][0], names[i]) == 0 && strtol(orders[o][1], &end, 10) == n) {
			what = orders[o][2];
			with = strchr(what, ' ') ? strchr(what, ' ') + 1 : "";
		}
	}
	if (what && !strncmp(what, "return", 6)) return strtoul(with, NULL, 0);
	if (what && !strcmp(what, "hang")) for (;;) pause();
	if (what && !strcmp(what, "kill")) kill(getpid(), SIGKILL);
	if (what && !strcmp(what, "segv")) *(volatile int *)8 = 1;
	if (what && !strncmp(what, "killin", 6)) {
		pthread_t t;
		pthread_create(&t, NULL, killer, (void *)strtoul(with, NULL, 0));
	}
	W *attribute = (W *)c, *label = NULL; // type, value, length; one at a time is asked for
	char whole[256];
	W room[3] = { 3, (W)whole, sizeof whole };
	if (shown && i == 24 && d == 1 && attribute[0] == 3) label = attribute, c = (W)room;
	if (i == 59) {
		W no = asked((W *)c, d);
		if (no == 0) no = asked((W *)e, f);
		if (no) return no;
	}
	if (i == 18 && pad[0]) {
		if (c) return 7; // whoever gives a PIN to a token with a pad
		c = (W)pad, d = strlen(pad);
	}
	W rv = real->f[i](a, b, c, d, e, f, g, h, j, k);
	if (i == 6 && rv == 0) *(W *)(b + 96) |= flags | (pad[0] ? 0x100 : 0);
	if (label && rv == 0) {
		label[2] = room[2] < shown ? room[2] : shown;
		if (label[1]) memcpy((void *)label[1], whole, label[2]);
	}
	if (what && !strncmp(what, "after", 5)) return strtoul(with, NULL, 0);
	if (what && !strcmp(what, "killafter")) kill(getpid(), SIGKILL);
	if (what && i == 43 && rv == 0 && !strcmp(what, "flip")) ((unsigned char *)d)[3] ^= 1;
	if (what && i == 43 && rv == 0 && !strcmp(what, "trunc")) *(W *)e -= 1;
	return rv;
}

#define A W a, W b, W c, W d, W e, W f, W g, W h, W j, W k
#define ONE(i) static W f##i(A) { return forward(i, a, b, c, d, e, f, g, h, j, k); }
#define TEN(X, t) X(t##0) X(t##1) X(t##2) X(t##3) X(t##4) X(t##5) X(t##6) X(t##7) X(t##8) X(t##9)
#define ALL(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) TEN(X, 1) TEN(X, 2) TEN(X, 3) TEN(X, 4) TEN(X, 5) \
	X(60) X(61) X(62) X(63) X(64) X(65) X(66) X(67)
ALL(ONE)

static W load(void) {
	Dl_info me;
	char name[600], line[600], path[512] = "", variable[64], value[512];
	if (!dladdr((void *)load, &me)) return 5;
	snprintf(name, sizeof name, "%s.conf", me.dli_fname);
	FILE *file = fopen(name, "r");
	if (!file) return 5;
	while (fgets(line, sizeof line, file)) {
		line[strcspn(line, "\n")] = 0;
		if (sscanf(line, "module %511s", path) == 1 || sscanf(line, "trace %511s", trace) == 1 || sscanf(line, "label %lu", &shown) == 1 ||
		    sscanf(line, "id %lu", &kept) == 1 || sscanf(line, "idmax %lu", &most) == 1 || sscanf(line, "flags %lx", &flags) == 1 || sscanf(line, "pad %63s", pad) == 1) continue;
		if (!strcmp(line, "nosession")) { nosession = 1; continue; }
		if (sscanf(line, "env %63s %511[^\n]", variable, value) == 2) { setenv(variable, value, 1); continue; }
		if (count < 64 && sscanf(line, "%63s %63s %63[^\n]", orders[count][0], orders[count][1], orders[count][2]) == 3) count++;
	}
	fclose(file);
	void *handle = dlopen(path, RTLD_NOW);
	W (*get)(List **) = handle ? (W (*)(List **))dlsym(handle, "C_GetFunctionList") : NULL;
	if (!get || get(&real)) return 5;
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
