/* The loops that sum over parts, by node and by label. */

#define NO_IMPORT_ARRAY
#include "arrays.h"
#include "labels.h"

/* One part of a sum over nodes: what each value of a label counts for, and each node's value. */
typedef struct {
    const void *counts;
    int type;
    npy_intp length;
    const npy_intp *codes;
    double weight, extra;
    double *table; /* by label: what each value adds */
} Part;

static int read_part(PyObject *given, Part *part, npy_intp n)
{
    PyObject *counts, *codes;
    if (!PyArg_ParseTuple(given, "OOdd", &counts, &codes, &part->weight, &part->extra))
        return 0;
    part->type = NPY_INT64;
    if (PyArray_Check(counts) && PyArray_TYPE((PyArrayObject *)counts) == NPY_INT32)
        part->type = NPY_INT32;
    part->counts = data_of(counts, part->type, "counts");
    if (!part->counts) return 0;
    part->length = length_of(counts, 0);
    part->codes = NULL;
    part->table = NULL;
    if (codes == Py_None)
        return expect(part->length, n, "counts");
    part->codes = data_of(codes, NPY_INTP, "codes");
    return part->codes && expect(length_of(codes, 0), n, "codes");
}

/* count * weight + extra of each place of `counts`, added to `sum` where it is no first one. */
#define ADD_COUNTS(NAME, TYPE)                                                                  \
    WIDE static void NAME(const TYPE *counts, double weight, double extra, npy_intp n,          \
                          double *sum, int first)                                               \
    {                                                                                           \
        if (first)                                                                              \
            for (npy_intp i = 0; i < n; i++)                                                    \
                sum[i] = (double)counts[i] * weight + extra;                                    \
        else                                                                                    \
            for (npy_intp i = 0; i < n; i++)                                                    \
                sum[i] += (double)counts[i] * weight + extra;                                   \
    }
ADD_COUNTS(add_shorts, npy_int32)
ADD_COUNTS(add_longs, npy_int64)

static void add_counts(const Part *part, npy_intp start, npy_intp n, double *sum, int first)
{
    if (part->type == NPY_INT32)
        add_shorts((const npy_int32 *)part->counts + start, part->weight, part->extra, n, sum,
                   first);
    else
        add_longs((const npy_int64 *)part->counts + start, part->weight, part->extra, n, sum,
                  first);
}

static void free_parts(Part *parts, Py_ssize_t length)
{
    for (Py_ssize_t place = 0; place < length; place++)
        PyMem_Free(parts[place].table);
    PyMem_Free(parts);
}

/* The parts of a list, those by label with their tables; NULL with an exception. */
static Part *read_parts(PyObject *given, npy_intp n)
{
    Py_ssize_t length = PyList_GET_SIZE(given);
    Part *parts = PyMem_Calloc(length, sizeof *parts);
    if (!parts) { PyErr_NoMemory(); return NULL; }
    for (Py_ssize_t place = 0; place < length; place++) {
        Part *part = &parts[place];
        int fine = read_part(PyList_GET_ITEM(given, place), part, n);
        if (fine && part->codes) {
            part->table = PyMem_Malloc(part->length * sizeof *part->table + 1);
            if (part->table) add_counts(part, 0, part->length, part->table, 1);
            else { PyErr_NoMemory(); fine = 0; }
        }
        if (!fine) { free_parts(parts, length); return NULL; }
    }
    return parts;
}

static void look_up(const double *table, const npy_intp *codes, npy_intp n, double *sum, int first)
{
    if (first)
        for (npy_intp i = 0; i < n; i++)
            sum[i] = table[codes[i]];
    else
        for (npy_intp i = 0; i < n; i++)
            sum[i] += table[codes[i]];
}

/* The whole part of each sum, and the extremes of these, none of which is negative; by 32 bits
   where all are small, which goes several at a time. */
WIDE static void cut_off(const double *sum, double half, npy_intp n, npy_int64 *raw,
                         npy_int64 *least, npy_int64 *most)
{
    npy_int64 large = 0;
    for (npy_intp i = 0; i < n; i++)
        large += !(sum[i] + half < 2147483647.0);
    if (large) {
        for (npy_intp i = 0; i < n; i++)
            raw[i] = (npy_int64)(sum[i] + half);
        extremes(raw, n, least, most);
        return;
    }
    npy_int32 low = NPY_MAX_INT32, high = 0;
    for (npy_intp i = 0; i < n; i++) {
        npy_int32 whole = (npy_int32)(sum[i] + half);
        high = whole > high ? whole : high;
        low = whole < low ? whole : low;
        raw[i] = whole;
    }
    *least = low < *least ? low : *least;
    *most = high > *most ? high : *most;
}

static int spread_raw(PyObject *given, npy_intp n, double half, npy_int64 *raw, npy_int64 *least,
                      npy_int64 *most)
{
    Py_ssize_t length = PyList_GET_SIZE(given);
    Part *parts = read_parts(given, n);
    if (!parts) return 0;
    double sum[PIECE];
    for (npy_intp start = 0; start < n; start += PIECE) {
        npy_intp piece = piece_at(start, n);
        for (Py_ssize_t place = 0; place < length; place++) {
            const Part *part = &parts[place];
            if (part->codes)
                look_up(part->table, part->codes + start, piece, sum, !place);
            else
                add_counts(part, start, piece, sum, !place);
        }
        cut_off(sum, half, piece, raw + start, least, most);
    }
    free_parts(parts, length);
    return 1;
}

PyObject *spread(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    if (!expect(count, 3, "spread")) return NULL;
    npy_intp n = PyLong_AsSsize_t(args[1]);
    int rounds = n == -1 && PyErr_Occurred() ? -1 : PyObject_IsTrue(args[2]);
    if (rounds < 0) return NULL;
    if (!PyList_CheckExact(args[0]) || !PyList_GET_SIZE(args[0])) {
        PyErr_SetString(PyExc_TypeError, "spread needs a list of parts");
        return NULL;
    }
    npy_int64 least = NPY_MAX_INT64, most = 0;
    PyObject *raw = new_array(n, NPY_INT64), *scores = raw ? new_array(n, NPY_INT64) : NULL;
    if (!scores || !spread_raw(args[0], n, rounds ? 0.5 : 0.0, own_data(raw), &least, &most)) {
        Py_XDECREF(raw);
        Py_XDECREF(scores);
        return NULL;
    }
    reverse_all(own_data(raw), n, least, most, own_data(scores));
    return Py_BuildValue("(NN)", raw, scores);
}

/* weight * count of each place, added to a sum: of integers. */
#define ADD_PULLS(NAME, TYPE)                                                                   \
    WIDE static void NAME(const TYPE *counts, npy_int64 weight, npy_intp n, npy_int64 *sum)     \
    {                                                                                           \
        for (npy_intp i = 0; i < n; i++)                                                        \
            sum[i] += weight * counts[i];                                                       \
    }
ADD_PULLS(pull_shorts, npy_int32)
ADD_PULLS(pull_longs, npy_int64)

static int add_pulls(PyObject *given, npy_intp n, npy_int64 *sum)
{
    Part part;
    if (!read_part(given, &part, n)) return 0;
    npy_int64 weight = (npy_int64)part.weight;
    if (part.codes && part.type != NPY_INT64) {
        PyErr_SetString(PyExc_TypeError, "a table must be of int64");
        return 0;
    }
    if (part.codes) {
        const npy_int64 *table = part.counts;
        for (npy_intp i = 0; i < n; i++)
            sum[i] += weight * table[part.codes[i]];
    } else if (part.type == NPY_INT32)
        pull_shorts(part.counts, weight, n, sum);
    else
        pull_longs(part.counts, weight, n, sum);
    return 1;
}

PyObject *pulled(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    if (!expect(count, 2, "pulled")) return NULL;
    npy_intp n = PyLong_AsSsize_t(args[1]);
    if (n == -1 && PyErr_Occurred()) return NULL;
    if (!PyList_CheckExact(args[0])) {
        PyErr_SetString(PyExc_TypeError, "pulled needs a list of parts");
        return NULL;
    }
    PyObject *made = PyArray_ZEROS(1, &n, NPY_INT64, 0);
    if (!made) return NULL;
    for (Py_ssize_t place = 0; place < PyList_GET_SIZE(args[0]); place++)
        if (!add_pulls(PyList_GET_ITEM(args[0], place), n, own_data(made))) {
            Py_DECREF(made);
            return NULL;
        }
    return made;
}
