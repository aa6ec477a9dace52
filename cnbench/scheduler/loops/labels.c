/* The loops that count pods: by node, by the values of a label, and looked up for each node. */

#define NO_IMPORT_ARRAY
#include "arrays.h"
#include "labels.h"

#define FEW 64
#define LANES 4

static void count_many(const npy_int32 *counts, const npy_intp *codes, const npy_bool *eligible,
                       npy_intp n, npy_int64 *sums)
{
    for (npy_intp i = 0; i < n; i++)
        sums[codes[i]] += eligible ? eligible[i] * counts[i] : counts[i];
}

/* Of few values neighbours often have the same: in four sums none waits for the one before. */
INLINE void count_few(const npy_int32 *counts, const npy_intp *codes, const npy_bool *eligible,
                      npy_intp n, npy_intp values, npy_int64 *sums)
{
    npy_int64 apart[LANES][FEW] = {{0}};
    npy_intp i = 0;
    for (; i + LANES <= n; i += LANES)
        for (npy_intp lane = 0; lane < LANES; lane++)
            apart[lane][codes[i + lane]] +=
                eligible ? eligible[i + lane] * counts[i + lane] : counts[i + lane];
    count_many(counts + i, codes + i, eligible ? eligible + i : NULL, n - i, sums);
    for (npy_intp value = 0; value < values; value++)
        for (npy_intp lane = 0; lane < LANES; lane++)
            sums[value] += apart[lane][value];
}

/* The mask, or NULL: without an exception where it is None. */
static const npy_bool *mask_or_none(PyObject *given, npy_intp n, const char *name)
{
    const npy_bool *mask = given == Py_None ? NULL : data_of(given, NPY_BOOL, name);
    return mask && expect(length_of(given, 0), n, name) ? mask : NULL;
}

PyObject *count_by_label(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    if (!expect(count, 4, "count_by_label")) return NULL;
    const npy_int32 *counts = data_of(args[0], NPY_INT32, "counts");
    const npy_intp *codes = counts ? data_of(args[1], NPY_INTP, "codes") : NULL;
    if (!codes) return NULL;
    npy_intp values = PyLong_AsSsize_t(args[2]), n = length_of(args[0], 0);
    const npy_bool *eligible = mask_or_none(args[3], n, "eligible");
    if (PyErr_Occurred() || !expect(length_of(args[1], 0), n, "codes")) return NULL;
    PyObject *made = PyArray_ZEROS(1, &values, NPY_INT64, 0);
    if (!made) return NULL;
    if (values <= FEW && eligible)
        count_few(counts, codes, eligible, n, values, own_data(made));
    else if (values <= FEW) /* a loop of its own, which does not look for what is not there */
        count_few(counts, codes, NULL, n, values, own_data(made));
    else
        count_many(counts, codes, eligible, n, own_data(made));
    return made;
}

static void mark_many(const npy_bool *nodes, const npy_intp *codes, npy_intp n, npy_bool *there)
{
    for (npy_intp i = 0; i < n; i++)
        there[codes[i]] |= nodes[i];
}

/* Apart, as above. */
static void mark_few(const npy_bool *nodes, const npy_intp *codes, npy_intp n, npy_intp values,
                     npy_bool *there)
{
    npy_bool apart[LANES][FEW] = {{0}};
    npy_intp i = 0;
    for (; i + LANES <= n; i += LANES)
        for (npy_intp lane = 0; lane < LANES; lane++)
            apart[lane][codes[i + lane]] |= nodes[i + lane];
    mark_many(nodes + i, codes + i, n - i, there);
    for (npy_intp value = 0; value < values; value++)
        for (npy_intp lane = 0; lane < LANES; lane++)
            there[value] |= apart[lane][value];
}

PyObject *values_on(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    if (!expect(count, 3, "values_on")) return NULL;
    const npy_bool *nodes = data_of(args[0], NPY_BOOL, "nodes");
    const npy_intp *codes = nodes ? data_of(args[1], NPY_INTP, "codes") : NULL;
    if (!codes) return NULL;
    npy_intp values = PyLong_AsSsize_t(args[2]), n = length_of(args[1], 0);
    if ((values == -1 && PyErr_Occurred()) || !expect(length_of(args[0], 0), n, "nodes"))
        return NULL;
    PyObject *made = PyArray_ZEROS(1, &values, NPY_BOOL, 0);
    if (!made) return NULL;
    if (values <= FEW)
        mark_few(nodes, codes, n, values, own_data(made));
    else
        mark_many(nodes, codes, n, own_data(made));
    return made;
}

#define LOOK_UP(NAME, TYPE)                                                                     \
    static void NAME(const TYPE *table, const npy_intp *codes, npy_intp n, TYPE *found)         \
    {                                                                                           \
        for (npy_intp i = 0; i < n; i++)                                                        \
            found[i] = table[codes[i]];                                                         \
    }
LOOK_UP(look_up_marks, npy_bool)
LOOK_UP(look_up_longs, npy_int64)

/* The fewest pods of any domain, and how many domains there are; without any, Go's MaxInt32. */
static npy_int64 fewest_of(const npy_int64 *counts, const npy_bool *domains, npy_intp values,
                           npy_intp *number)
{
    npy_int64 fewest = NPY_MAX_INT32;
    *number = 0;
    for (npy_intp value = 0; value < values; value++)
        if (!domains || domains[value]) {
            *number += 1;
            fewest = counts[value] < fewest ? counts[value] : fewest;
        }
    return fewest;
}

PyObject *within_skew(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    if (!expect(count, 5, "within_skew")) return NULL;
    const npy_int64 *counts = data_of(args[0], NPY_INT64, "counts");
    const npy_intp *codes = counts ? data_of(args[1], NPY_INTP, "codes") : NULL;
    if (!codes) return NULL;
    npy_intp n = length_of(args[1], 0), missing = length_of(args[0], 0) - 1, number;
    const npy_bool *domains = mask_or_none(args[2], missing + 1, "domains");
    npy_int64 min_domains = PyLong_AsLongLong(args[3]), most = PyLong_AsLongLong(args[4]);
    if (PyErr_Occurred()) return NULL;
    npy_int64 fewest = fewest_of(counts, domains, missing, &number);
    most += number < min_domains ? 0 : fewest;
    npy_bool *allowed = PyMem_Malloc(missing + 1);
    PyObject *made = allowed ? new_array(n, NPY_BOOL) : PyErr_NoMemory();
    if (made) {
        for (npy_intp value = 0; value < missing; value++)
            allowed[value] = counts[value] <= most;
        allowed[missing] = 0;
        look_up_marks(allowed, codes, n, own_data(made));
    }
    PyMem_Free(allowed);
    return made;
}

PyObject *looked_up(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    if (!expect(count, 2, "looked_up")) return NULL;
    int longs = PyArray_Check(args[0]) && PyArray_TYPE((PyArrayObject *)args[0]) == NPY_INT64;
    int type = longs ? NPY_INT64 : NPY_BOOL;
    const void *table = data_of(args[0], type, "table");
    const npy_intp *codes = table ? data_of(args[1], NPY_INTP, "codes") : NULL;
    if (!codes) return NULL;
    npy_intp n = length_of(args[1], 0);
    PyObject *made = new_array(n, type);
    if (!made) return NULL;
    if (longs) look_up_longs(table, codes, n, own_data(made));
    else look_up_marks(table, codes, n, own_data(made));
    return made;
}

PyObject *count_by_node(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    if (!expect(count, 2, "count_by_node")) return NULL;
    const npy_int32 *nodes = data_of(args[0], NPY_INT32, "nodes");
    npy_intp n = nodes ? PyLong_AsSsize_t(args[1]) : -1;
    if (n == -1 && PyErr_Occurred()) return NULL;
    PyObject *made = PyArray_ZEROS(1, &n, NPY_INT32, 0);
    if (!made) return NULL;
    npy_int32 *counts = own_data(made);
    for (npy_intp place = 0; place < length_of(args[0], 0); place++) {
        if (!is_node(nodes[place], n)) { Py_DECREF(made); return NULL; }
        counts[nodes[place]]++;
    }
    return made;
}

PyObject *count_listed(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    if (!expect(count, 4, "count_listed")) return NULL;
    const npy_int32 *nodes = data_of(args[0], NPY_INT32, "nodes");
    const npy_intp *codes = nodes ? data_of(args[1], NPY_INTP, "codes") : NULL;
    if (!codes) return NULL;
    npy_intp values = PyLong_AsSsize_t(args[2]), n = length_of(args[1], 0);
    const npy_bool *eligible = mask_or_none(args[3], n, "eligible");
    PyObject *made = PyErr_Occurred() ? NULL : PyArray_ZEROS(1, &values, NPY_INT64, 0);
    if (!made) return NULL;
    npy_int64 *sums = own_data(made);
    for (npy_intp place = 0; place < length_of(args[0], 0); place++) {
        if (!is_node(nodes[place], n)) { Py_DECREF(made); return NULL; }
        sums[codes[nodes[place]]] += !eligible || eligible[nodes[place]];
    }
    return made;
}
