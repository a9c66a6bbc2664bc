/* Calls of WASM functions by a program in Selene.

   Each goes over a socket to the Python process that runs the module, as numbers of 64
   bits: the shot, the context, the function, how many arguments, and these. The answer
   is whether the call failed and its result, or the length of the reason, which follows.
   The path of the socket and the functions that the program calls come after this. */

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define MOST_ARGUMENTS 64
#define PANIC_CODE 1001
#define MOST_CHARACTERS 200
#define MOST_CONTEXTS 1024

/* The name of a function for the linker. */
#define QUOTED(text) #text
#define PREFIX(text) QUOTED(text)
#define LINKED(name) PREFIX(__USER_LABEL_PREFIX__) name

/* In the place of a function: the context is not needed any more. */
#define WASM_DISPOSE (-1)

extern const char wasm_socket[];

/* Functions of Selene. */
extern uint64_t get_current_shot(void);
extern _Noreturn void panic_str(int32_t code, const char *message);

static int connection = -1;

static _Noreturn void lost(void) {
    panic_str(PANIC_CODE, "EXIT:INT:The WASM functions cannot be reached.");
}

static void start(void) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(wasm_socket) >= sizeof address.sun_path)
        lost();
    strcpy(address.sun_path, wasm_socket);
    connection = socket(AF_UNIX, SOCK_STREAM, 0);
    if (connection < 0 ||
        connect(connection, (struct sockaddr *)&address, sizeof address) != 0)
        lost();
}

static void receive(void *data, size_t length) {
    for (char *place = data; length > 0;) {
        ssize_t count = read(connection, place, length);
        if (count <= 0)
            lost();
        place += count;
        length -= (size_t)count;
    }
}

static int64_t wasm_call(int64_t context, int64_t function, const int64_t *arguments,
                         uint64_t n_arguments) {
    uint64_t request[4 + MOST_ARGUMENTS] = {get_current_shot(), (uint64_t)context,
                                            (uint64_t)function, n_arguments};
    if (n_arguments > MOST_ARGUMENTS)
        lost();
    if (n_arguments > 0)
        memcpy(request + 4, arguments, n_arguments * sizeof *arguments);
    if (connection < 0)
        start();
    size_t length = (4 + n_arguments) * sizeof *request;
    /* A few hundred bytes go at once, or the other end is gone. */
    if (write(connection, request, length) != (ssize_t)length)
        lost();
    struct {
        int64_t failed, value;
    } answer;
    receive(&answer, sizeof answer);
    if (answer.failed) {
        char reason[MOST_CHARACTERS + 1] = {0};
        if (answer.value > MOST_CHARACTERS)
            lost();
        receive(reason, (size_t)answer.value);
        panic_str(PANIC_CODE, reason);
    }
    return answer.value;
}

/* What a HUGR program calls: the functions of Selene for GPUs. A number stands for the
   name of a function. Each returns whether it succeeded. */

static int64_t results[MOST_CONTEXTS];

bool gpu_validate_api(uint64_t major, uint64_t minor, uint64_t patch) {
    (void)patch;
    return major == 0 && minor == 1;
}

const char *gpu_get_error(void) {
    return "EXIT:INT:Too many contexts of a WASM module, or another version of Selene.";
}

bool gpu_get_function_id(const char *name, uint64_t *function) {
    *function = strtoull(name, NULL, 10);
    return true;
}

bool gpu_init(uint64_t number, uint64_t *context) {
    *context = number;
    return number < MOST_CONTEXTS;
}

bool gpu_discard(uint64_t context) {
    wasm_call((int64_t)context, WASM_DISPOSE, NULL, 0);
    return true;
}

bool gpu_call(uint64_t context, uint64_t function, uint64_t size, const void *arguments,
              const char *types) {
    int64_t values[MOST_ARGUMENTS];
    (void)types;
    if (size > sizeof values)
        lost();
    memcpy(values, arguments, size);
    results[context] =
        wasm_call((int64_t)context, (int64_t)function, values, size / sizeof *values);
    return true;
}

bool gpu_get_result(uint64_t context, uint64_t size, void *result) {
    memcpy(result, &results[context], size);
    return size == sizeof *results;
}
