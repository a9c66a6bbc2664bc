/* The noise of Quantinuum's machines as an error model of Selene.

   The model is that of local_nexus/simulators/noise.py, and its parameters come from
   there, as arguments such as "p1=0.001". Selene hands over the operations of a program
   one by one. Each is done on the simulator, and errors are further operations there,
   so that every simulator of Selene has them, and its traces show them.

   A qubit that the program has not prepared in this shot is in 0 and stays out of
   everything. One that the program has freed is like any other: errors on it change
   nothing that can be seen, since its next use begins with a reset.

   Selene's simple runtime has no times. Here every operation starts as soon as its
   qubits are ready, as in circuits, and what comes first on a qubit right before it is
   needed. The model does not see when a program reads an outcome, so that it does not
   wait for one. */

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
#define NEVER (-1)

enum datatype { DATATYPE_UINT64 = 2 };
enum pauli { PAULI_I, PAULI_X, PAULI_Y, PAULI_Z };

/* What happens to a leaked qubit in the simulator cannot be seen: it is left fully
   mixed there, as which it also returns. */
typedef struct {
    bool prepared, leaked;
    bool waits; /* since a gate on two qubits or a measurement after its last reset */
    int64_t ready, measured_at, reset_at; /* in nanoseconds since the shot began */
} Qubit;

/* Flags are 0 or 1; "przz" is the dependence of p2 on the angle. */
#define PARAMETERS(ENTRY) \
    ENTRY(p1) \
    ENTRY(p2) \
    ENTRY(p_init) \
    ENTRY(p_meas_0) \
    ENTRY(p_meas_1) \
    ENTRY(p_crosstalk_meas) \
    ENTRY(p_crosstalk_init) \
    ENTRY(crosstalk_per_gate) \
    ENTRY(p1_emission_ratio) \
    ENTRY(p2_emission_ratio) \
    ENTRY(p_init_leak_ratio) \
    ENTRY(leak_ratio) \
    ENTRY(p1_seepage) \
    ENTRY(p2_seepage) \
    ENTRY(leak_to_depolar) \
    ENTRY(przz_a) \
    ENTRY(przz_b) \
    ENTRY(przz_c) \
    ENTRY(przz_d) \
    ENTRY(przz_power) \
    ENTRY(linear_dephasing) \
    ENTRY(quadratic_dephasing) \
    ENTRY(coherent_dephasing) \
    ENTRY(coherent_to_incoherent) \
    ENTRY(idle_dephasing) \
    ENTRY(transport_dephasing) \
    ENTRY(p2_idle) \
    ENTRY(one_qubit_seconds) \
    ENTRY(two_qubit_seconds) \
    ENTRY(measure_seconds) \
    ENTRY(reset_seconds) \
    ENTRY(transport_seconds)

/* What happened in a shot, for its metrics. */
#define COUNTS(ENTRY) \
    ENTRY(gate_errors_1q) \
    ENTRY(gate_errors_2q) \
    ENTRY(init_errors) \
    ENTRY(measurement_errors) \
    ENTRY(crosstalk_errors) \
    ENTRY(memory_errors) \
    ENTRY(leaks) \
    ENTRY(seepages)

#define DOUBLE(name) double name;
#define UINT64(name) uint64_t name;
typedef struct {
    PARAMETERS(DOUBLE)
} Parameters;
typedef struct {
    COUNTS(UINT64)
} Counts;

typedef struct {
    const char *name;
    size_t offset;
} Entry;
#define PARAMETER(name) {#name, offsetof(Parameters, name)},
#define COUNT(name) {#name, offsetof(Counts, name)},
static const Entry PARAMETER_TABLE[] = {PARAMETERS(PARAMETER)};
static const Entry COUNT_TABLE[] = {COUNTS(COUNT)};

typedef struct {
    Parameters given;
    Counts counts;
    uint64_t random[4];
    SimulatorHandle simulator;
    ErrorModelSetResultHandle result;
    SeleneErrno failure;
    uint64_t n_qubits;
    Qubit qubits[];
} Model;

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

static void depolarise(Model *model, uint64_t qubit) {
    apply(model, one_of(model, 4), qubit);
}

static void leak(Model *model, uint64_t qubit) {
    depolarise(model, qubit);
    if (!model->given.leak_to_depolar) {
        model->counts.leaks++;
        model->qubits[qubit].leaked = true;
    }
}

static void emit(Model *model, uint64_t qubit) {
    if (happens(model, model->given.leak_ratio))
        leak(model, qubit);
    else
        depolarise(model, qubit);
}

static void seep(Model *model, uint64_t qubit, double probability) {
    if (happens(model, probability)) {
        model->counts.seepages++;
        model->qubits[qubit].leaked = false;
    }
}

static void after_gate_1q(Model *model, uint64_t qubit) {
    if (!happens(model, model->given.p1))
        return;
    model->counts.gate_errors_1q++;
    if (happens(model, model->given.p1_emission_ratio))
        emit(model, qubit);
    else
        apply(model, 1 + one_of(model, 3), qubit);
}

/* Return the probability of an error after a gate on two qubits. */
static double p2_at(const Parameters *given, double theta) {
    /* Without what rounding makes of whole turns, where the sign changes. */
    double turns = round(theta / PI * 1e12) * 1e-12;
    double rest = fmod(1 - turns, 2), angle = 1 - (rest < 0 ? rest + 2 : rest);
    double size = pow(fabs(angle), given->przz_power), factor;
    if (angle < 0)
        factor = given->przz_a * size + given->przz_b;
    else if (angle > 0)
        factor = given->przz_c * size + given->przz_d;
    else
        factor = (given->przz_b + given->przz_d) / 2;
    return given->p2 * factor;
}

/* What the error is for a qubit that had leaked before has no effect. */
static void after_gate_2q(Model *model, const uint64_t pair[2], const bool leaked[2],
                          double theta) {
    if (!happens(model, p2_at(&model->given, theta)))
        return;
    model->counts.gate_errors_2q++;
    if (happens(model, model->given.p2_emission_ratio)) {
        uint64_t which = one_of(model, 2);
        if (!leaked[which])
            emit(model, pair[which]);
        return;
    }
    uint64_t error = 1 + one_of(model, 15);
    enum pauli paulis[] = {error / 4, error % 4};
    for (int i = 0; i < 2; i++)
        if (!leaked[i])
            apply(model, paulis[i], pair[i]);
}

/* Measure each other qubit with some probability. Nobody sees the outcome, so that it
   is a Z in half of the cases. */
static void crosstalk(Model *model, uint64_t source, double probability) {
    if (probability == 0)
        return;
    for (uint64_t qubit = 0; qubit < model->n_qubits; qubit++) {
        const Qubit *other = &model->qubits[qubit];
        if (qubit == source || !other->prepared || other->leaked)
            continue;
        if (happens(model, probability / 2)) {
            model->counts.crosstalk_errors++;
            apply(model, PAULI_Z, qubit);
        }
    }
}

/* Memory. */

static int64_t nanoseconds(double seconds) { return llround(seconds * 1e9); }

static double least(double first, double second) {
    return first < second ? first : second;
}

/* The errors of a qubit that has waited or moved for some time. */
static void dephase(Model *model, uint64_t qubit, int64_t time) {
    const Parameters *given = &model->given;
    if (time <= 0 || model->qubits[qubit].leaked)
        return;
    double seconds = (double)time * 1e-9;
    double angle = PI * given->quadratic_dephasing * seconds;
    bool z = happens(model, least(given->linear_dephasing * seconds, 0.5));
    if (given->coherent_dephasing) {
        if (angle != 0)
            rz(model, qubit, 2 * angle);
    } else {
        double turned = sin(angle) * sin(angle);
        z ^= happens(model, least(given->coherent_to_incoherent * turned, 1));
    }
    if (z) {
        model->counts.memory_errors++;
        apply(model, PAULI_Z, qubit);
    }
}

/* Let a qubit do something as soon as it is ready; return when that began. */
static int64_t occupy(Model *model, uint64_t qubit, double seconds) {
    int64_t start = model->qubits[qubit].ready;
    model->qubits[qubit].ready += nanoseconds(seconds);
    return start;
}

/* Let two qubits wait for each other, meet, and do a gate. */
static void meet(Model *model, const uint64_t pair[2]) {
    const Parameters *given = &model->given;
    int64_t moving = nanoseconds(given->transport_seconds), begin = 0;
    for (int i = 0; i < 2; i++)
        if (model->qubits[pair[i]].ready > begin)
            begin = model->qubits[pair[i]].ready;
    for (int i = 0; i < 2; i++) {
        Qubit *qubit = &model->qubits[pair[i]];
        int64_t waiting = qubit->waits ? begin - qubit->ready : 0;
        qubit->waits = true;
        dephase(model, pair[i],
                (given->idle_dephasing ? waiting : 0) +
                    (given->transport_dephasing ? moving : 0));
        qubit->ready = begin + moving + nanoseconds(given->two_qubit_seconds);
    }
}

/* The operations of a program. */

static void do_rxy(void *handle, uint64_t qubit, double theta, double phi) {
    Model *model = handle;
    occupy(model, qubit, model->given.one_qubit_seconds);
    if (model->qubits[qubit].leaked) {
        seep(model, qubit, model->given.p1_seepage);
        return;
    }
    rxy(model, qubit, theta, phi);
    after_gate_1q(model, qubit);
}

/* Done in software, in no time and without an error. */
static void do_rz(void *handle, uint64_t qubit, double theta) {
    Model *model = handle;
    if (!model->qubits[qubit].leaked)
        rz(model, qubit, theta);
}

/* Prepare a gate on two qubits; return whether it takes place. */
static bool begin_2q(Model *model, const uint64_t pair[2], bool leaked[2]) {
    meet(model, pair);
    for (int i = 0; i < 2; i++)
        leaked[i] = model->qubits[pair[i]].leaked;
    return !leaked[0] && !leaked[1];
}

static void end_2q(Model *model, const uint64_t pair[2], const bool leaked[2],
                   double theta) {
    after_gate_2q(model, pair, leaked, theta);
    for (int i = 0; i < 2; i++) {
        if (leaked[i])
            seep(model, pair[i], model->given.p2_seepage);
        else if (!leaked[1 - i] && happens(model, model->given.p2_idle)) {
            model->counts.memory_errors++;
            apply(model, PAULI_Z, pair[i]);
        }
    }
}

static void do_rzz(void *handle, uint64_t first, uint64_t second, double theta) {
    Model *model = handle;
    uint64_t pair[] = {first, second};
    bool leaked[2];
    if (begin_2q(model, pair, leaked))
        check(model, model->simulator.interface.rzz_fn(model->simulator.instance,
                                                       first, second, theta));
    end_2q(model, pair, leaked, theta);
}

static void do_rpp(void *handle, uint64_t first, uint64_t second, double theta,
                   double phi) {
    Model *model = handle;
    uint64_t pair[] = {first, second};
    bool leaked[2];
    if (begin_2q(model, pair, leaked))
        check(model, model->simulator.interface.rpp_fn(model->simulator.instance,
                                                       first, second, theta, phi));
    end_2q(model, pair, leaked, theta);
}

/* Return whether another qubit has been measured, or reset, at the same time, if that
   makes one operation of both. */
static bool follows(const Model *model, uint64_t source, size_t field, int64_t start) {
    if (model->given.crosstalk_per_gate)
        return false;
    for (uint64_t qubit = 0; qubit < model->n_qubits; qubit++) {
        const Qubit *other = &model->qubits[qubit];
        const int64_t *time = (const int64_t *)((const char *)other + field);
        if (qubit != source && other->prepared && *time == start)
            return true;
    }
    return false;
}

/* Measure, and return the outcome as it is recorded. */
static bool measured(Model *model, uint64_t qubit) {
    int64_t start = occupy(model, qubit, model->given.measure_seconds);
    /* A leaked qubit is measured, too, as 1: given outcomes stay in step. */
    SeleneErrno outcome =
        model->simulator.interface.measure_fn(model->simulator.instance, qubit);
    check(model, outcome);
    bool value = outcome > 0 || model->qubits[qubit].leaked;
    if (happens(model, value ? model->given.p_meas_1 : model->given.p_meas_0)) {
        model->counts.measurement_errors++;
        value = !value;
    }
    model->qubits[qubit].waits = true;
    model->qubits[qubit].measured_at = start;
    if (!follows(model, qubit, offsetof(Qubit, measured_at), start))
        crosstalk(model, qubit, model->given.p_crosstalk_meas);
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
    if (model->qubits[qubit].leaked)
        value = 2;
    model->result.interface.set_u64_result_fn(model->result.instance, result, value);
}

static void do_reset(void *handle, uint64_t qubit) {
    Model *model = handle;
    int64_t start = occupy(model, qubit, model->given.reset_seconds);
    check(model,
          model->simulator.interface.reset_fn(model->simulator.instance, qubit));
    model->qubits[qubit].prepared = true;
    model->qubits[qubit].leaked = false;
    model->qubits[qubit].waits = false;
    if (happens(model, model->given.p_init)) {
        model->counts.init_errors++;
        if (happens(model, model->given.p_init_leak_ratio))
            leak(model, qubit);
        else
            apply(model, PAULI_X, qubit);
    }
    model->qubits[qubit].reset_at = start;
    if (!follows(model, qubit, offsetof(Qubit, reset_at), start))
        crosstalk(model, qubit, model->given.p_crosstalk_init);
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

/* Set the parameter of an argument "name=value"; return whether there is one. */
static bool set_parameter(Parameters *given, const char *argument) {
    const char *value = strchr(argument, '=');
    if (value == NULL)
        return false;
    size_t length = (size_t)(value++ - argument);
    for (size_t i = 0; i < LENGTH(PARAMETER_TABLE); i++) {
        const Entry *entry = &PARAMETER_TABLE[i];
        if (strlen(entry->name) == length &&
            strncmp(entry->name, argument, length) == 0) {
            char *end;
            *(double *)((char *)given + entry->offset) = strtod(value, &end);
            return end != value && *end == '\0';
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
        if (!set_parameter(&model->given, argv[i])) {
            fprintf(stderr, "The error model does not know %s.\n", argv[i]);
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
    for (uint64_t qubit = 0; qubit < model->n_qubits; qubit++)
        model->qubits[qubit] = (Qubit){.measured_at = NEVER, .reset_at = NEVER};
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
    if (index >= LENGTH(COUNT_TABLE))
        return 1;
    strcpy(name, COUNT_TABLE[index].name);
    *datatype = DATATYPE_UINT64;
    *value = *(uint64_t *)((char *)&model->counts + COUNT_TABLE[index].offset);
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
