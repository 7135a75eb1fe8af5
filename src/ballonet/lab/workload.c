/*
 * A guest's workload: memory, files and requests that follow a schedule, and a report each second.
 *
 * It is the guest's first process, which the kernel never kills for want of memory: it takes schedules,
 * reports, ends the guest when its life is over, and starts the load again (a child of several threads)
 * whenever the kernel killed that. The two share one page of figures; only the load itself can be swapped.
 *
 * A schedule is lines "at SECONDS key=value ...", ended by a line "go"; a key keeps its value until a later
 * line changes it. The keys are the fields of `struct step` below. The lines "driver off" and "driver on" take
 * the balloon's driver out of the running kernel and put it back.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MIB ((int64_t)1 << 20)
#define PAGE 4096
#define STEPS 256
#define RING 65536         /* latencies kept between two reports */
#define ROOM (64 * 1024 * MIB) /* addresses kept for the load; no memory until it is touched */
#define CHUNK (256 * 1024) /* memory grown between two looks at the clock */
#define SECOND 1000000000LL
#define PACE (SECOND / 400) /* how often growth looks at the clock */
#define GULP (SECOND / 20)  /* how often a stream does: waking is dear */
#define BITE (SECOND / 10)  /* the longest sleep, so that a new schedule is obeyed soon */

struct step {
	double at;           /* seconds since the schedule began */
	double anon_mib;     /* the program's own memory */
	double hot_mib;      /* its part, from the beginning, that requests touch */
	double file_mib;     /* part of the data disk's first half, read at random through the page cache */
	double rate;         /* requests a second */
	double touches;      /* pages written a request */
	double reads;        /* 4 KiB blocks of the file read a request */
	double grow_mib_s;   /* speed of growth; 0: as fast as it goes */
	double stream_mib_s; /* of the data disk's second half, read in order through the page cache */
};

struct shared {
	pthread_mutex_t mutex; /* over schedule, length and start; robust, as the load may die holding it */
	struct step schedule[STEPS];
	int length;
	_Atomic int64_t start;        /* when the schedule began; it also tells one schedule from the next */
	_Atomic int64_t next_arrival; /* of the oldest request not answered */
	_Atomic int64_t anon, file;   /* bytes reached */
	_Atomic int64_t streamed;     /* bytes since the guest's boot */
	_Atomic double growth;        /* bytes a second, over the latest growth of `anon` so far */
	_Atomic uint64_t served;
	_Atomic uint32_t latency[RING]; /* microseconds */
};

static struct shared *shared;
static const char *data_path;
static char *load;    /* the memory that comes and goes */

static int64_t now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * SECOND + t.tv_nsec;
}

static void sleep_until(int64_t when)
{
	struct timespec t = {when / SECOND, when % SECOND};
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
		;
}

/* Sleep until then or for a bite. Waking is dear where the CPU is emulated: waking 300 times a second cost
   the host 6 % of a core. */
static void idle(int64_t until)
{
	int64_t bite = now() + BITE;
	sleep_until(until < bite ? until : bite);
}

static uint64_t draw(uint64_t *state) /* xorshift64 */
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void lock(void)
{
	if (pthread_mutex_lock(&shared->mutex) == EOWNERDEAD)
		pthread_mutex_consistent(&shared->mutex);
}

/* Return the step that holds at `when`, and when the next one begins (far away if there is none). */
static struct step step_at(int64_t when, int64_t *until)
{
	struct step found = {0};
	lock();
	int64_t start = shared->start;
	*until = INT64_MAX;
	for (int i = 0; i < shared->length; i++) {
		int64_t begins = start + (int64_t)(shared->schedule[i].at * SECOND);
		if (begins > when) {
			*until = begins;
			break;
		}
		found = shared->schedule[i];
	}
	pthread_mutex_unlock(&shared->mutex);
	return found;
}

/* ---- the load ------------------------------------------------------------------------------------- */

/* Take pages: each gets a number, so that none is the zero page and no two can be merged. */
static void fill(char *to, int64_t bytes, uint64_t *state)
{
	for (char *page = to; page < to + bytes; page += PAGE)
		*(volatile uint64_t *)page = draw(state);
}

/* Let memory go that the schedule does not want any more, or claim the next chunk of what it wants: return
   its bytes and where it begins; 0 if there is nothing to take until `*until`. */
static int64_t claim(int64_t *begin, int64_t *until)
{
	static pthread_mutex_t claims = PTHREAD_MUTEX_INITIALIZER;
	static int64_t before, began, from; /* began: when this growth did; 0: nothing grows */
	static double allowance;            /* bytes that may be grown now */
	pthread_mutex_lock(&claims);
	int64_t present = now(), bytes = 0, reached = *begin = shared->anon;
	struct step step = step_at(present, until);
	int64_t target = (int64_t)step.anon_mib * MIB < ROOM ? (int64_t)step.anon_mib * MIB : ROOM;
	if (began)
		shared->growth = (double)(reached - from) * SECOND / (double)(present - began + 1);
	if (target <= reached) {
		shared->anon = target;
		if (target < reached)
			madvise(load + target, reached - target, MADV_DONTNEED);
		allowance = 0;
		began = 0;
	} else {
		if (!began) {
			before = began = present;
			from = reached;
		}
		allowance += step.grow_mib_s * MIB * (present - before) / SECOND;
		before = present;
		if (step.grow_mib_s > 0 && allowance < CHUNK)
			*until = present + PACE;
		else
			bytes = target - reached < CHUNK ? target - reached : CHUNK;
		shared->anon = reached + bytes;
		allowance = allowance > bytes ? allowance - bytes : 0;
	}
	pthread_mutex_unlock(&claims);
	return bytes;
}

static void *hold_memory(void *unused)
{
	uint64_t state = 88172645463325252ULL ^ (uint64_t)now();
	for (;;) {
		int64_t begin, until, bytes = claim(&begin, &until);
		if (bytes)
			fill(load + begin, bytes, &state);
		else
			idle(until);
	}
	return unused;
}

/* Open the data disk; return its file, -1 where there is none, and half of its size. */
static int open_data(int64_t *half)
{
	int disk = *data_path ? open(data_path, O_RDONLY | O_CLOEXEC) : -1;
	*half = disk < 0 ? 0 : lseek(disk, 0, SEEK_END) / 2;
	return disk;
}

/* Read what is new of the file once, in order, as a program that opens a file does. */
static void *hold_file(void *unused)
{
	static char block[128 * 1024] __attribute__((aligned(PAGE)));
	int64_t size, until;
	int disk = open_data(&size);
	for (;;) {
		struct step step = step_at(now(), &until);
		int64_t target = (int64_t)step.file_mib * MIB, reached = shared->file;
		if (target > size)
			target = size;
		if (target <= reached) {
			shared->file = target;
			idle(until);
		} else if (pread(disk, block, sizeof block, reached) > 0) {
			shared->file = reached + (int64_t)sizeof block < target ? reached + (int64_t)sizeof block : target;
		} else {
			sleep_until(now() + SECOND);
		}
	}
	return unused;
}

/* Read the disk's second half in order, around and around: it is larger than the guest's memory, so that
   nothing is found again. What a slow disk does not deliver in time is not asked for later. */
static void *read_stream(void *unused)
{
	static char block[128 * 1024] __attribute__((aligned(PAGE)));
	int64_t half, until, before = now(), at = 0;
	double allowance = 0; /* bytes that may be read now */
	int disk = open_data(&half);
	for (;;) {
		int64_t present = now();
		struct step step = step_at(present, &until);
		double speed = half ? step.stream_mib_s * MIB : 0, most = speed + sizeof block;
		allowance += speed * (present - before) / SECOND;
		allowance = allowance < most ? allowance : most;
		before = present;
		if (speed == 0) {
			allowance = 0;
			idle(until);
			continue;
		}
		for (; allowance >= sizeof block; allowance -= sizeof block) {
			if (pread(disk, block, sizeof block, half + at) != sizeof block)
				break;
			shared->streamed += sizeof block;
			at += sizeof block;
			at = at + (int64_t)sizeof block > half ? 0 : at;
		}
		sleep_until(present + GULP);
	}
	return unused;
}

static void answer(const struct step *step, int disk, uint64_t *state)
{
	static char block[PAGE] __attribute__((aligned(PAGE)));
	int64_t hot = (int64_t)step->hot_mib * MIB, anon = shared->anon, file = shared->file;
	int64_t pages = (hot < anon ? hot : anon) / PAGE;
	for (int i = 0; pages && i < (int)step->touches; i++)
		*(volatile uint64_t *)(load + draw(state) % pages * PAGE + 8) = *state;
	for (int i = 0; file && i < (int)step->reads; i++)
		if (pread(disk, block, PAGE, draw(state) % (file / PAGE) * PAGE) < 0)
			return;
}

/* An open loop: requests arrive by the schedule, answered or not; what waits is counted from its arrival. */
static void answer_requests(void)
{
	uint64_t state = 0x9E3779B97F4A7C15ULL ^ (uint64_t)now();
	int disk = *data_path ? open(data_path, O_RDONLY | O_CLOEXEC) : -1;
	if (disk >= 0)
		posix_fadvise(disk, 0, 0, POSIX_FADV_RANDOM);
	int64_t start = 0, until;
	double arrival = 0;
	for (;;) {
		if (start != shared->start) {
			start = shared->start;
			/* After a kill the load begins now: requests that came in between found nobody. */
			arrival = (double)(shared->served ? now() - start : 0);
		}
		struct step step = step_at(start + (int64_t)arrival, &until);
		if (step.rate <= 0) {
			shared->next_arrival = INT64_MAX;
			if (until < now() + BITE || start + (int64_t)arrival < now())
				arrival = (double)((until < now() ? until : now()) - start);
			idle(until);
			continue;
		}
		int64_t arrived = start + (int64_t)arrival;
		shared->next_arrival = arrived;
		if (arrived > now()) {
			idle(arrived);
			if (arrived > now())
				continue;
		}
		answer(&step, disk, &state);
		if (start != shared->start)
			continue;
		int64_t took = (now() - arrived) / 1000;
		shared->latency[shared->served % RING] = took > UINT32_MAX ? UINT32_MAX : (uint32_t)took;
		shared->served++;
		arrival += SECOND / step.rate;
	}
}

static void run_load(void)
{
	pthread_t thread;
	pthread_attr_t small;
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, 64 * 1024);
	/* The program's own pages stay, the load comes and goes. */
	mlockall(MCL_CURRENT);
	load = mmap(NULL, ROOM, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	pthread_create(&thread, &small, hold_file, NULL);
	pthread_create(&thread, &small, read_stream, NULL);
	/* One for each processor: a burst is as fast as the guest can make it. */
	for (long i = sysconf(_SC_NPROCESSORS_ONLN); i > 0; i--)
		pthread_create(&thread, &small, hold_memory, NULL);
	answer_requests();
}

static pid_t start_load(void)
{
	shared->anon = shared->file = 0;
	shared->next_arrival = INT64_MAX;
	pid_t pid = fork();
	if (pid == 0) {
		int score = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
		if (score < 0 || write(score, "1000", 4) < 0)
			perror("lab: oom_score_adj");
		run_load();
		_exit(1);
	}
	return pid;
}

/* ---- schedules ------------------------------------------------------------------------------------ */

static int64_t due; /* when to report next */
static struct step drafts[STEPS];
static int drafted;

static void set(struct step *step, const char *key, double value)
{
	static const struct { const char *key; size_t offset; } fields[] = {
		{"anon_mib", offsetof(struct step, anon_mib)}, {"hot_mib", offsetof(struct step, hot_mib)},
		{"file_mib", offsetof(struct step, file_mib)}, {"rate", offsetof(struct step, rate)},
		{"touches", offsetof(struct step, touches)},   {"reads", offsetof(struct step, reads)},
		{"grow_mib_s", offsetof(struct step, grow_mib_s)}, {"stream_mib_s", offsetof(struct step, stream_mib_s)},
	};
	for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
		if (strcmp(key, fields[i].key) == 0)
			*(double *)((char *)step + fields[i].offset) = value;
}

/* What an earlier load read must not serve, nor burden, the next one. */
static void drop_page_cache(void)
{
	int file = open("/proc/sys/vm/drop_caches", O_WRONLY | O_CLOEXEC);
	if (file < 0 || write(file, "1", 1) != 1)
		perror("lab: the page cache stays");
	if (file >= 0)
		close(file);
}

/* Take the balloon's driver out, or put it back: the console says when that is done. */
static void turn_driver(const char *command, const char *state)
{
	printf("lab: driver %s%s\n", system(command) == 0 ? "" : "not ", state);
	fflush(stdout);
}

/* The lab has checked the schedule's words before sending it: what is not known here is passed over. */
static void take_line(char *line)
{
	if (strcmp(line, "driver off") == 0)
		turn_driver("rmmod virtio_balloon", "off");
	if (strcmp(line, "driver on") == 0)
		turn_driver("insmod /modules/virtio_balloon.ko", "on");
	if (strcmp(line, "go") == 0) {
		drop_page_cache();
		lock();
		memcpy(shared->schedule, drafts, sizeof drafts);
		shared->length = drafted;
		shared->served = 0;
		shared->start = now();
		pthread_mutex_unlock(&shared->mutex);
		drafted = 0;
		due = shared->start; /* a report at once says that the schedule is known */
	}
	if (strncmp(line, "at ", 3) != 0 || drafted == STEPS)
		return;
	struct step step = drafted ? drafts[drafted - 1] : (struct step){0};
	char *rest = line + 3, *word;
	step.at = strtod(rest, &rest);
	while ((word = strsep(&rest, " ")) != NULL) {
		char *value = strchr(word, '=');
		if (value) {
			*value++ = '\0';
			set(&step, word, strtod(value, NULL));
		}
	}
	drafts[drafted++] = step;
}

static void take_words(int port)
{
	static char line[512];
	static size_t length;
	char byte;
	while (read(port, &byte, 1) == 1) {
		if (byte != '\n') {
			length += length < sizeof line - 1 ? (line[length] = byte, 1) : 0;
			continue;
		}
		line[length] = '\0';
		length = 0;
		take_line(line);
	}
}

/* ---- reports -------------------------------------------------------------------------------------- */

static char text[32768]; /* of the file read last */

static void take_file(int file)
{
	ssize_t length = file < 0 ? 0 : pread(file, text, sizeof text - 1, 0);
	text[length > 0 ? length : 0] = '\0';
}

/* Return the number after `name` at the beginning of a line of `text`; -1 if there is none. */
static long long figure(const char *name)
{
	size_t length = strlen(name);
	for (char *line = text; line; line = strchr(line, '\n'), line += line != NULL)
		if (strncmp(line, name, length) == 0 && (line[length] == ' ' || line[length] == ':'))
			return atoll(line + length + 1);
	return -1;
}

static int by_size(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	return (x > y) - (x < y);
}

static uint32_t latencies[RING];
static uint64_t reported;
static long long kills;
static char report[2048];

static int add_latency(int at)
{
	uint64_t served = shared->served, count;
	double sum = 0;
	if (served < reported)
		reported = 0; /* a new schedule counts from 0 */
	count = served - reported < RING ? served - reported : RING;
	for (uint64_t i = 0; i < count; i++)
		sum += latencies[i] = shared->latency[(served - 1 - i) % RING];
	qsort(latencies, count, sizeof *latencies, by_size);
	reported = served;
	at += snprintf(report + at, sizeof report - at, ",\"requests\":%llu", (unsigned long long)count);
	if (count)
		at += snprintf(report + at, sizeof report - at,
			       ",\"mean_ms\":%.3f,\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"max_ms\":%.3f", sum / count / 1000,
			       latencies[count / 2] / 1000.0, latencies[count * 99 / 100] / 1000.0,
			       latencies[count - 1] / 1000.0);
	return at;
}

static void add_figures(int *at, int file, const char *const *names, const char *const *keys)
{
	take_file(file);
	for (; *names; names++, keys++)
		*at += snprintf(report + *at, sizeof report - *at, ",\"%s\":%lld", *keys, figure(*names));
}

static void add_pressure(int *at, int file)
{
	char *total = (take_file(file), strstr(text, "total="));
	if (total)
		*at += snprintf(report + *at, sizeof report - *at, ",\"psi_some_us\":%lld", atoll(total + 6));
}

static void send_report(int port, int memory, int events, int pressure)
{
	static const char *const memory_names[] = {"MemTotal", "MemFree", "MemAvailable", "Cached", "Buffers", "SwapTotal", "SwapFree", NULL};
	static const char *const memory_keys[] = {"total_kib", "free_kib", "available_kib", "cached_kib", "buffers_kib", "swap_total_kib", "swap_free_kib", NULL};
	static const char *const event_names[] = {"pswpin", "pswpout", "pgmajfault", "oom_kill", "workingset_refault_file", NULL};
	int64_t present = now(), oldest = shared->next_arrival, until;
	double rate = step_at(present, &until).rate;
	double backlog = oldest < present ? (double)(present - oldest) / SECOND * rate : 0;
	int at = snprintf(report, sizeof report, "{\"t\":%.3f,\"uptime\":%.3f,\"anon_mib\":%.2f,\"grow_mib_s\":%.1f,\"file_mib\":%.2f,\"streamed_mib\":%.2f,\"backlog\":%.0f,\"restarts\":%lld",
			  (double)(present - shared->start) / SECOND, (double)present / SECOND, (double)shared->anon / MIB, shared->growth / MIB,
			  (double)shared->file / MIB, (double)shared->streamed / MIB, backlog, kills);
	at = add_latency(at);
	add_figures(&at, memory, memory_names, memory_keys);
	add_figures(&at, events, event_names, event_names);
	add_pressure(&at, pressure);
	at += snprintf(report + at, sizeof report - at, "}\n");
	if (write(port, report, at) != at)
		return; /* nobody reads: the next report says more */
}

static int open_port(const char *wanted, int mode)
{
	char path[64], name[64];
	for (int i = 0; i < 8; i++) {
		snprintf(path, sizeof path, "/sys/class/virtio-ports/vport%dp%d/name", i / 4, i % 4);
		FILE *file = fopen(path, "r");
		if (!file)
			continue;
		if (fscanf(file, "%63s", name) == 1 && strcmp(name, wanted) == 0) {
			fclose(file);
			snprintf(path, sizeof path, "/dev/vport%dp%d", i / 4, i % 4);
			return open(path, mode | O_NONBLOCK | O_CLOEXEC);
		}
		fclose(file);
	}
	return -1;
}

static void share(void)
{
	pthread_mutexattr_t attributes;
	shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	pthread_mutexattr_init(&attributes);
	pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
	pthread_mutexattr_setrobust(&attributes, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&shared->mutex, &attributes);
	shared->start = now();
}

int main(int argc, char **argv)
{
	int64_t life = argc > 1 ? atoll(argv[1]) * SECOND : SECOND;
	data_path = argc > 2 ? argv[2] : "";
	int words = open_port("lab.schedule", O_RDONLY), reports = open_port("lab.reports", O_WRONLY);
	int memory = open("/proc/meminfo", O_RDONLY | O_CLOEXEC), events = open("/proc/vmstat", O_RDONLY | O_CLOEXEC);
	int pressure = open("/proc/pressure/memory", O_RDONLY | O_CLOEXEC);
	share();
	pid_t pid = start_load();
	mlockall(MCL_CURRENT | MCL_FUTURE);
	setpriority(PRIO_PROCESS, 0, -10);
	for (due = now(); now() < life;) {
		int64_t wait = due - now();
		struct pollfd port = {words, POLLIN, 0};
		if (wait > 0 && poll(&port, 1, (int)(wait / 1000000) + 1) > 0) {
			take_words(words);
			if (port.revents & POLLHUP) { /* nobody at the other end: poll says so again and again */
				idle(due);
			}
		}
		if (now() >= due) {
			send_report(reports, memory, events, pressure);
			due += SECOND * (1 + (now() - due) / SECOND);
		}
		if (waitpid(pid, NULL, WNOHANG) == pid) {
			kills++;
			pid = start_load();
		}
	}
	reboot(RB_POWER_OFF);
	return 0;
}
