/* The noise of Quantinuum's machines as an error model of Selene.

   The model is that of local_nexus/simulators/noise.py, and its rates come from there,
   as arguments such as "p1=0.001". Selene hands over the operations of a program one
   by one. Each is done on the simulator, and errors are further operations there, so
   that every simulator of Selene has them, and its traces show them.

   A qubit that the program has not prepared in this shot is in 0 and stays out of
   everything. One that the program has freed is like any other: errors on it change
   nothing that can be seen, since its next use begins with a reset. */

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "selene/core_types.h"
#include "selene/runtime.h"
#include "selene/error_model.h"

#define PI 3.14159265358979323846
#define LENGTH(array) (sizeof(array) / sizeof *(array))
#define FAILED (-1)

enum datatype { DATATYPE_UINT64 = 2 };
enum pauli { PAULI_I, PAULI_X, PAULI_Y, PAULI_Z };

typedef struct {
    double p1, p2, p_init, p_meas_0, p_meas_1, p_crosstalk_meas, p_crosstalk_init;
} Rates;

typedef struct {
    uint64_t gate_errors_1q, gate_errors_2q, init_errors, measurement_errors,
        crosstalk_errors;
} Counts;

typedef struct {
    bool prepared;
} Qubit;

typedef struct {
    Rates rates;
    Counts counts;
    uint64_t random[4];
    SimulatorHandle simulator;
    ErrorModelSetResultHandle result;
    SeleneErrno failure;
    uint64_t n_qubits;
    Qubit qubits[];
} Model;

#define RATE(name) {#name, offsetof(Rates, name)}
static const struct {
    const char *name;
    size_t offset;
} RATES[] = {
    RATE(p1),       RATE(p2),       RATE(p_init),           RATE(p_meas_0),
    RATE(p_meas_1), RATE(p_crosstalk_meas), RATE(p_crosstalk_init),
};

#define COUNT(name) {#name, offsetof(Counts, name)}
static const struct {
    const char *name;
    size_t offset;
} COUNTS[] = {
    COUNT(gate_errors_1q),     COUNT(gate_errors_2q),   COUNT(init_errors),
    COUNT(measurement_errors), COUNT(crosstalk_errors),
};

/* Chance: xoshiro256++, started by splitmix64. */

static uint64_t splitmix64(uint64_t *state) {
    uint64_t value = *state += 0x9e3779b97f4a7c15u;
    value = (value ^ value >> 30) * 0xbf58476d1ce4e5b9u;
    value = (value ^ value >> 27) * 0x94d049bb133111ebu;
    return value ^ value >> 31;
}

static uint64_t rotated(uint64_t value, int by) {
    return value << by | value >> (64 - by);
}

static uint64_t random_bits(Model *model) {
    uint64_t *s = model->random;
    uint64_t bits = rotated(s[0] + s[3], 23) + s[0], shifted = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= shifted;
    s[3] = rotated(s[3], 45);
    return bits;
}

static bool happens(Model *model, double probability) {
    /* What is impossible takes no random number. */
    return probability > 0 && (double)(random_bits(model) >> 11) * 0x1p-53 < probability;
}

/* A number from 0 to n - 1; the 64 bits make its bias negligible. */
static uint64_t one_of(Model *model, uint64_t n) { return random_bits(model) % n; }

/* The simulator. */

static void check(Model *model, SeleneErrno code) {
    if (code < 0 && model->failure == 0)
        model->failure = code;
}

static void rxy(Model *model, uint64_t qubit, double theta, double phi) {
    check(model, model->simulator.interface.rxy_fn(model->simulator.instance, qubit,
                                                   theta, phi));
}

static void rz(Model *model, uint64_t qubit, double theta) {
    check(model,
          model->simulator.interface.rz_fn(model->simulator.instance, qubit, theta));
}

static void apply(Model *model, enum pauli pauli, uint64_t qubit) {
    switch (pauli) {
    case PAULI_I:
        break;
    case PAULI_X:
        rxy(model, qubit, PI, 0);
        break;
    case PAULI_Y:
        rxy(model, qubit, PI, PI / 2);
        break;
    case PAULI_Z:
        rz(model, qubit, PI);
        break;
    }
}

/* Errors. */

static void after_gate_1q(Model *model, uint64_t qubit) {
    if (!happens(model, model->rates.p1))
        return;
    model->counts.gate_errors_1q++;
    apply(model, 1 + one_of(model, 3), qubit);
}

static void after_gate_2q(Model *model, uint64_t first, uint64_t second) {
    if (!happens(model, model->rates.p2))
        return;
    model->counts.gate_errors_2q++;
    uint64_t error = 1 + one_of(model, 15);
    apply(model, error / 4, first);
    apply(model, error % 4, second);
}

/* Measure each other qubit with some probability. Nobody sees the outcome, so that it
   is a Z in half of the cases. */
static void crosstalk(Model *model, uint64_t source, double probability) {
    if (probability == 0)
        return;
    for (uint64_t qubit = 0; qubit < model->n_qubits; qubit++) {
        if (qubit == source || !model->qubits[qubit].prepared)
            continue;
        if (happens(model, probability / 2)) {
            model->counts.crosstalk_errors++;
            apply(model, PAULI_Z, qubit);
        }
    }
}

/* The operations of a program. */

static void do_rxy(void *handle, uint64_t qubit, double theta, double phi) {
    rxy(handle, qubit, theta, phi);
    after_gate_1q(handle, qubit);
}

/* Done in software, without an error. */
static void do_rz(void *handle, uint64_t qubit, double theta) {
    rz(handle, qubit, theta);
}

static void do_rzz(void *handle, uint64_t first, uint64_t second, double theta) {
    Model *model = handle;
    check(model, model->simulator.interface.rzz_fn(model->simulator.instance, first,
                                                   second, theta));
    after_gate_2q(model, first, second);
}

static void do_rpp(void *handle, uint64_t first, uint64_t second, double theta,
                   double phi) {
    Model *model = handle;
    check(model, model->simulator.interface.rpp_fn(model->simulator.instance, first,
                                                   second, theta, phi));
    after_gate_2q(model, first, second);
}

/* Return the outcome as it is recorded. */
static bool measured(Model *model, uint64_t qubit) {
    SeleneErrno outcome =
        model->simulator.interface.measure_fn(model->simulator.instance, qubit);
    check(model, outcome);
    bool value = outcome > 0;
    if (happens(model, value ? model->rates.p_meas_1 : model->rates.p_meas_0)) {
        model->counts.measurement_errors++;
        value = !value;
    }
    crosstalk(model, qubit, model->rates.p_crosstalk_meas);
    return value;
}

static void do_measure(void *handle, uint64_t qubit, uint64_t result) {
    Model *model = handle;
    bool value = measured(model, qubit);
    model->result.interface.set_bool_result_fn(model->result.instance, result, value);
}

static void do_measure_leaked(void *handle, uint64_t qubit, uint64_t result) {
    Model *model = handle;
    uint64_t value = measured(model, qubit);
    model->result.interface.set_u64_result_fn(model->result.instance, result, value);
}

static void do_reset(void *handle, uint64_t qubit) {
    Model *model = handle;
    check(model,
          model->simulator.interface.reset_fn(model->simulator.instance, qubit));
    model->qubits[qubit].prepared = true;
    if (happens(model, model->rates.p_init)) {
        model->counts.init_errors++;
        apply(model, PAULI_X, qubit);
    }
    crosstalk(model, qubit, model->rates.p_crosstalk_init);
}

static void do_custom(void *handle, size_t tag, const void *data, size_t length) {
    (void)handle, (void)tag, (void)data, (void)length;
}

static void set_time(void *handle, uint64_t start, uint64_t duration) {
    (void)handle, (void)start, (void)duration;
}

static const SeleneRuntimeGetOperationInterface OPERATIONS = {
    .measure_fn = do_measure,
    .measure_leaked_fn = do_measure_leaked,
    .reset_fn = do_reset,
    .custom_fn = do_custom,
    .set_batch_time_fn = set_time,
    .rzz_fn = do_rzz,
    .rxy_fn = do_rxy,
    .rz_fn = do_rz,
    .rpp_fn = do_rpp,
};

/* The plugin. */

/* Set the rate that an argument "name=value" gives; return whether there is one. */
static bool set_rate(Rates *rates, const char *argument) {
    const char *value = strchr(argument, '=');
    if (value == NULL)
        return false;
    size_t length = (size_t)(value - argument);
    for (size_t i = 0; i < LENGTH(RATES); i++) {
        if (strlen(RATES[i].name) == length &&
            strncmp(RATES[i].name, argument, length) == 0) {
            char *end;
            *(double *)((char *)rates + RATES[i].offset) = strtod(value + 1, &end);
            return end != value + 1 && *end == '\0';
        }
    }
    return false;
}

static SeleneErrno init(SeleneErrorModelInstance *handle, uint64_t n_qubits,
                        uint32_t argc, const char *const *argv) {
    Model *model = calloc(1, sizeof(Model) + n_qubits * sizeof(Qubit));
    if (model == NULL)
        return FAILED;
    model->n_qubits = n_qubits;
    for (uint32_t i = 0; i < argc; i++) {
        if (!set_rate(&model->rates, argv[i])) {
            fprintf(stderr, "The error model has no rate %s.\n", argv[i]);
            free(model);
            return FAILED;
        }
    }
    *handle = model;
    return 0;
}

static SeleneErrno finish(SeleneErrorModelInstance handle) {
    free(handle);
    return 0;
}

static SeleneErrno shot_start(SeleneErrorModelInstance handle, uint64_t shot_id,
                              uint64_t seed) {
    Model *model = handle;
    (void)shot_id;
    model->failure = 0;
    model->counts = (Counts){0};
    memset(model->qubits, 0, model->n_qubits * sizeof(Qubit));
    /* The simulator may have got the same seed. */
    seed ^= 0x6d616368696e6573u;
    for (size_t i = 0; i < LENGTH(model->random); i++)
        model->random[i] = splitmix64(&seed);
    return 0;
}

static SeleneErrno shot_end(SeleneErrorModelInstance handle) {
    (void)handle;
    return 0;
}

static SeleneErrno handle_operations(SeleneErrorModelInstance handle,
                                     RuntimeExtractOperationHandle batch,
                                     SimulatorHandle simulator,
                                     ErrorModelSetResultHandle result) {
    Model *model = handle;
    model->simulator = simulator;
    model->result = result;
    batch.interface.extract_fn(batch.instance,
                               (RuntimeGetOperationHandle){model, OPERATIONS});
    return model->failure;
}

static SeleneErrno get_metrics(SeleneErrorModelInstance handle, uint8_t index,
                               char *name, uint8_t *datatype, uint64_t *value) {
    Model *model = handle;
    if (index >= LENGTH(COUNTS))
        return 1;
    strcpy(name, COUNTS[index].name);
    *datatype = DATATYPE_UINT64;
    *value = *(uint64_t *)((char *)&model->counts + COUNTS[index].offset);
    return 0;
}

const SeleneErrorModelPluginDescriptorV1 *
selene_error_model_get_plugin_descriptor_v1(void) {
    static const SeleneErrorModelPluginDescriptorV1 descriptor = {
        .struct_size = sizeof(SeleneErrorModelPluginDescriptorV1),
        .api_version = SELENE_ERROR_MODEL_CURRENT_API_VERSION,
        .init_fn = init,
        .exit_fn = finish,
        .shot_start_fn = shot_start,
        .shot_end_fn = shot_end,
        .handle_operations_fn = handle_operations,
        .get_metrics_fn = get_metrics,
    };
    return &descriptor;
}
