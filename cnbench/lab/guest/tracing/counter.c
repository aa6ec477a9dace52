/*
 * A plug-in for QEMU (docs/devel/tcg-plugins.rst, API version 1) that counts what each function of
 * a guest's kernel executes, by the calls that led to it, between the guest's readings of its clock.
 *
 * Every instruction adds one to a number, inline. At the beginning of every block of instructions
 * what came since the last beginning is that block's, in the context that it ran in. A context is
 * a stack of calls: a call writes its return address to a slot of a stack, and the return reads that
 * slot, so that the two find each other whatever was left out between them. Stacks are those of 16
 * KiB that each thread has in the kernel (THREAD_SIZE). User space has one context a thread.
 *
 * What is written is in cnbench/analysis/profile/trace.py: records of 24 bytes, in this machine's order.
 */

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The part of qemu-plugin.h that is used; Debian ships no such file. */
typedef uint64_t plugin_id;
struct qemu_plugin_tb;
struct qemu_plugin_insn;
typedef void (*exec_callback)(unsigned int cpu, void *data);
typedef void (*memory_callback)(unsigned int cpu, uint32_t info, uint64_t address, void *data);
enum { NO_REGISTERS = 0, ADD = 0, READS_AND_WRITES = 3 };
bool qemu_plugin_mem_is_store(uint32_t info);
size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *);
uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *);
struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *, size_t);
char *qemu_plugin_insn_disas(const struct qemu_plugin_insn *);
void qemu_plugin_register_vcpu_tb_trans_cb(plugin_id, void (*)(plugin_id, struct qemu_plugin_tb *));
void qemu_plugin_register_vcpu_tb_exec_cb(struct qemu_plugin_tb *, exec_callback, int, void *);
void qemu_plugin_register_vcpu_insn_exec_cb(struct qemu_plugin_insn *, exec_callback, int, void *);
void qemu_plugin_register_vcpu_insn_exec_inline(struct qemu_plugin_insn *, int, void *, uint64_t);
void qemu_plugin_register_vcpu_mem_cb(struct qemu_plugin_insn *, memory_callback, int, int, void *);

__attribute__((visibility("default"))) int qemu_plugin_version = 1;

#define KERNEL (UINT64_C(1) << 63)
#define STACK_BITS 14
#define MOST_MOVED 256 /* PUSH_REGS of arch/x86/entry/calling.h moves it by the size of pt_regs, 168 */
/* Documentation/arch/x86/x86_64/mm.rst: where the stacks are on which a processor enters the kernel. */
#define ENTRY_STACKS_BEGIN UINT64_C(0xfffffe0000000000)
#define ENTRY_STACKS_END UINT64_C(0xfffffe8000000000)

enum { BLOCK = 1, NODE, COUNT, READING };

struct record {
    uint32_t kind, a, b, c;
    uint64_t d;
};

/*
 * Somebody has said so (SIGURG): what runs on is not counted. The plug-in stays, since QEMU 7.2 calls
 * back what is gone: it keeps the callbacks of the last call or return until another one.
 */
static volatile sig_atomic_t enough;
static int out;
static struct record buffer[1 << 15];
static size_t buffered;

static void flush(void)
{
    const char *from = (const char *)buffer;
    size_t left = buffered * sizeof buffer[0];
    while (left) {
        ssize_t written = write(out, from, left);
        if (written <= 0)
            abort(); /* a trace with a hole in it is worse than none */
        from += written;
        left -= written;
    }
    buffered = 0;
}

static void tell(uint32_t kind, uint32_t a, uint32_t b, uint32_t c, uint64_t d)
{
    if (buffered == sizeof buffer / sizeof buffer[0])
        flush();
    buffer[buffered++] = (struct record){kind, a, b, c, d};
}

static void *grown(void *array, size_t used, size_t size)
{
    /* Arrays double at powers of two. */
    if (used & (used - 1))
        return array;
    array = realloc(array, (used ? 2 * used : 1) * size);
    if (!array)
        abort();
    return array;
}

/* A table from three numbers to the index that the caller gives to each new one. */
struct slot {
    uint64_t high, low;
    uint32_t index; /* 0: nothing is here */
};
struct table {
    struct slot *slots;
    size_t size, used;
};

static struct slot *place(const struct table *table, uint64_t high, uint64_t low)
{
    uint64_t hash = (high ^ low * UINT64_C(0x9e3779b97f4a7c15)) * UINT64_C(0xff51afd7ed558ccd);
    size_t at = (hash ^ hash >> 32) & (table->size - 1);
    while (table->slots[at].index && (table->slots[at].high != high || table->slots[at].low != low))
        at = (at + 1) & (table->size - 1);
    return &table->slots[at];
}

/* The index under a key, in place to be set where it is 0. */
static uint32_t *look_up(struct table *table, uint64_t high, uint64_t low)
{
    if (2 * table->used >= table->size) {
        struct table larger = {NULL, table->size ? 2 * table->size : 1024, table->used};
        larger.slots = calloc(larger.size, sizeof larger.slots[0]);
        if (!larger.slots)
            abort();
        for (size_t at = 0; at < table->size; at++)
            if (table->slots[at].index)
                *place(&larger, table->slots[at].high, table->slots[at].low) = table->slots[at];
        free(table->slots);
        *table = larger;
    }
    struct slot *found = place(table, high, low);
    if (!found->index) {
        found->high = high;
        found->low = low;
        table->used++;
    }
    return &found->index;
}

/* Contexts. Number 0 is no context; number 1 is that of what ran before anything was known. */
enum { NONE, UNKNOWN };
static struct table node_table;
static uint32_t *root_of; /* a node's first ancestor: the thread that it is of */
static uint32_t nodes;

static uint32_t node(uint32_t parent, uint32_t caller, uint64_t target)
{
    uint32_t *found = look_up(&node_table, (uint64_t)parent << 32 | caller, target);
    if (!*found) {
        root_of = grown(root_of, nodes, sizeof root_of[0]);
        *found = nodes++;
        root_of[*found] = parent == NONE ? *found : root_of[parent];
        tell(NODE, *found, parent, caller, target);
    }
    return *found;
}

/* Stacks, by the number of the 16 KiB that they are in. */
struct call {
    uint64_t slot;
    uint32_t context;
};
struct stack {
    struct call *calls;
    size_t used, room;
    uint32_t root;
};
static struct table stack_table;
static struct stack *stacks;
static uint32_t stack_count;

static struct stack *stack_at(uint64_t address)
{
    uint32_t *found = look_up(&stack_table, 0, address >> STACK_BITS);
    if (!*found) {
        stacks = grown(stacks, stack_count, sizeof stacks[0]);
        *found = ++stack_count;
        stacks[*found - 1] = (struct stack){.root = node(NONE, 0, address >> STACK_BITS << STACK_BITS)};
    }
    return &stacks[*found - 1];
}

/* Blocks, and what each executed in each context since the last reading of the clock. */
struct block {
    uint64_t pc;
    uint32_t number;
    uint32_t context, entry; /* the last that it ran in */
};
struct translation { /* of a block: some end early */
    struct block *block;
    uint64_t length;
};
struct entry {
    uint32_t context, block;
    uint64_t count;
};
static struct table block_table, entry_table;
static struct block **blocks;
static struct entry *entries;
static uint32_t block_count, entry_count;
static uint32_t *touched;
static uint32_t touched_count;

static uint64_t executed; /* every instruction adds one */
static uint64_t credited; /* how many of them are some entry's */
static uint32_t context = UNKNOWN, current_entry;
static const struct translation *current;
static bool in_user, entering, calling;
static uint32_t called_from, called_in;

static void credit(void)
{
    uint64_t count = executed - credited;
    credited = executed;
    if (!current_entry || !count)
        return;
    struct entry *entry = &entries[current_entry];
    if (!entry->count) {
        touched = grown(touched, touched_count, sizeof touched[0]);
        touched[touched_count++] = current_entry;
    }
    entry->count += count;
}

static void choose_entry(struct block *block)
{
    if (block->context != context || !block->entry) {
        uint32_t *found = look_up(&entry_table, context, block->number);
        if (!*found) {
            entries = grown(entries, entry_count, sizeof entries[0]);
            *found = entry_count++;
            entries[*found] = (struct entry){context, block->number, 0};
        }
        block->context = context;
        block->entry = *found;
    }
    current_entry = block->entry;
}

static void on_block(unsigned int cpu, void *data)
{
    const struct translation *translation = data;
    struct block *block = translation->block;
    (void)cpu;
    if (enough)
        return;
    credit();
    bool user = !(block->pc & KERNEL);
    if (calling) {
        context = node(called_in, called_from, block->pc);
        calling = false;
    }
    if (user != in_user) {
        /* What thread it is, its stack will tell; user space has no calls of its own. */
        context = root_of[context];
        entering = !user;
        in_user = user;
    }
    current = translation;
    choose_entry(block);
}

/*
 * Whether an access is that of the last instruction of the block that runs. QEMU 7.2 reports those
 * of later helpers (atomic operations) as well, until it leaves the blocks that it has chained.
 * It also takes reads for writes where a plug-in asks for one of them, so both are asked for.
 */
static bool is_of_last(const void *translation)
{
    return !enough && translation == current && executed - credited == current->length;
}

static void on_call(unsigned int cpu, uint32_t info, uint64_t slot, void *data)
{
    (void)cpu;
    if (!qemu_plugin_mem_is_store(info) || !is_of_last(data))
        return;
    struct stack *stack = stack_at(slot);
    if (entering && !(slot >= ENTRY_STACKS_BEGIN && slot < ENTRY_STACKS_END)) {
        context = stack->root;
        entering = false;
    }
    while (stack->used && stack->calls[stack->used - 1].slot <= slot)
        stack->used--; /* left without a return */
    stack->calls = stack->used < stack->room ? stack->calls
        : realloc(stack->calls, (stack->room = 2 * stack->room + 16) * sizeof stack->calls[0]);
    if (!stack->calls)
        abort();
    stack->calls[stack->used++] = (struct call){slot, context};
    calling = true;
    called_in = context;
    called_from = current->block->number;
}

static void on_return(unsigned int cpu, uint32_t info, uint64_t slot, void *data)
{
    (void)cpu;
    if (qemu_plugin_mem_is_store(info) || !is_of_last(data))
        return;
    struct stack *stack = stack_at(slot);
    while (stack->used && stack->calls[stack->used - 1].slot < slot)
        stack->used--;
    if (stack->used) {
        /* An entry of the kernel moves its return address below the registers that it saves. */
        if (stack->calls[stack->used - 1].slot - slot <= MOST_MOVED)
            context = stack->calls[--stack->used].context;
        /* Otherwise somebody has put an address there, and jumps to it. */
    } else if (!(slot >= ENTRY_STACKS_BEGIN && slot < ENTRY_STACKS_END))
        context = stack->root; /* called before anything was counted */
}

static void on_reading(unsigned int cpu, void *data)
{
    (void)cpu, (void)data;
    if (enough)
        return;
    credit();
    for (uint32_t at = 0; at < touched_count; at++) {
        struct entry *entry = &entries[touched[at]];
        tell(COUNT, entry->context, entry->block, 0, entry->count);
        entry->count = 0;
    }
    touched_count = 0;
    tell(READING, root_of[context], 0, 0, executed);
    flush();
}

static struct block *block_at(uint64_t pc)
{
    uint32_t *found = look_up(&block_table, 0, pc);
    if (!*found) {
        struct block *block = calloc(1, sizeof *block);
        if (!block)
            abort();
        blocks = grown(blocks, block_count, sizeof blocks[0]);
        *found = ++block_count;
        blocks[*found - 1] = block;
        block->pc = pc;
        block->number = *found;
        tell(BLOCK, *found, 0, 0, pc);
    }
    return blocks[*found - 1];
}

static void translate(plugin_id id, struct qemu_plugin_tb *tb)
{
    (void)id;
    struct block *block = block_at(qemu_plugin_tb_vaddr(tb));
    bool user = !(block->pc & KERNEL);
    struct translation *translation = malloc(sizeof *translation);
    if (!translation)
        abort();
    *translation = (struct translation){block, qemu_plugin_tb_n_insns(tb)};
    qemu_plugin_register_vcpu_tb_exec_cb(tb, on_block, NO_REGISTERS, translation);
    for (size_t at = 0; at < translation->length; at++) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, at);
        char *text = qemu_plugin_insn_disas(insn);
        qemu_plugin_register_vcpu_insn_exec_inline(insn, ADD, &executed, 1);
        if (user && !strncmp(text, "rdtsc", 5))
            qemu_plugin_register_vcpu_insn_exec_cb(insn, on_reading, NO_REGISTERS, NULL);
        else if (!user && !strncmp(text, "call", 4))
            qemu_plugin_register_vcpu_mem_cb(insn, on_call, NO_REGISTERS, READS_AND_WRITES, translation);
        else if (!user && !strncmp(text, "ret", 3))
            qemu_plugin_register_vcpu_mem_cb(insn, on_return, NO_REGISTERS, READS_AND_WRITES, translation);
        free(text);
    }
}

static void say_enough(int signal)
{
    (void)signal;
    enough = 1;
}

__attribute__((visibility("default"))) int
qemu_plugin_install(plugin_id id, const void *info, int argc, char **argv)
{
    (void)info;
    if (argc != 1 || strncmp(argv[0], "out=", 4))
        return -1;
    out = open(argv[0] + 4, O_WRONLY | O_APPEND | O_CLOEXEC);
    if (out < 0)
        return -1;
    signal(SIGURG, say_enough);
    nodes = 1;
    entry_count = 1; /* entry 0 is none */
    root_of = grown(NULL, 0, sizeof root_of[0]);
    entries = grown(NULL, 0, sizeof entries[0]);
    node(NONE, 0, 0); /* UNKNOWN */
    qemu_plugin_register_vcpu_tb_trans_cb(id, translate);
    return 0;
}
