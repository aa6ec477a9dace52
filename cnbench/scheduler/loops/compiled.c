/*
 * The inner loops of filters and scores; `by_numpy.py` says what each gives, and has the same ones.
 *
 * Each does the same floating-point operations in the same order as numpy there, and is compiled
 * without contracting any (-ffp-contract=off), so that answers are equal to the bit.
 */

#include "arrays.h"
#include "labels.h"

#include <math.h>

#define MAX_SCORE 100
/* Of one pod: more than there are plugins. */
#define MOST_SCORES 32

WIDE static void fit(const double *free, const double *asked, npy_intp rows, npy_intp n,
                     npy_bool *fits)
{
    for (npy_intp i = 0; i < n; i++)
        fits[i] = free[i] >= asked[0];
    for (npy_intp row = 1; row < rows; row++) {
        const double *here = free + row * n, wanted = asked[row];
        for (npy_intp i = 0; i < n; i++)
            fits[i] &= here[i] >= wanted;
    }
}

static PyObject *fits(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    if (!expect(count, 2, "fits")) return NULL;
    const double *free = data_of(args[0], NPY_DOUBLE, "free");
    const double *asked = free ? data_of(args[1], NPY_DOUBLE, "asked") : NULL;
    if (!asked) return NULL;
    npy_intp rows = length_of(args[0], 0), n = length_of(args[0], 1);
    if (!expect(length_of(args[1], 0), rows, "asked")) return NULL;
    PyObject *made = new_array(n, NPY_BOOL);
    if (made) fit(free, asked, rows, n, own_data(made));
    return made;
}

WIDE static void both(const npy_bool *mask, npy_intp n, npy_bool *every)
{
    for (npy_intp i = 0; i < n; i++)
        every[i] &= mask[i];
}

static PyObject *all_of(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    if (!expect(count, 2, "all_of")) return NULL;
    npy_intp n = PyLong_AsSsize_t(args[1]);
    if (n == -1 && PyErr_Occurred()) return NULL;
    if (!PyList_CheckExact(args[0])) {
        PyErr_SetString(PyExc_TypeError, "all_of needs a list of masks");
        return NULL;
    }
    PyObject *made = new_array(n, NPY_BOOL);
    if (!made) return NULL;
    memset(own_data(made), 1, n);
    for (Py_ssize_t place = 0; place < PyList_GET_SIZE(args[0]); place++) {
        PyObject *here = PyList_GET_ITEM(args[0], place);
        const npy_bool *mask = data_of(here, NPY_BOOL, "masks");
        if (!mask || !expect(length_of(here, 0), n, "masks")) { Py_DECREF(made); return NULL; }
        both(mask, n, own_data(made));
    }
    return made;
}

/* The whole percents of one resource that stay free, times its weight, added to a sum. */
WIDE static void add_percents(const double *left, double scored, const double *divisor,
                              double weight, npy_intp n, double *sum, int first)
{
    for (npy_intp i = 0; i < n; i++) {
        double free = left[i] - scored;
        free = free < 0.0 ? 0.0 : free;
        double percent = (double)(npy_int32)(free / divisor[i]) * weight;
        sum[i] = first ? percent : sum[i] + percent;
    }
}

WIDE static void divide(const double *sum, double by, npy_intp n, npy_int64 *scores)
{
    int exponent;
    if (frexp(by, &exponent) == 0.5) { /* by a power of two: its inverse is as exact, and cheaper */
        double inverse = 1.0 / by;
        for (npy_intp i = 0; i < n; i++)
            scores[i] = (npy_int32)(sum[i] * inverse);
    } else
        for (npy_intp i = 0; i < n; i++)
            scores[i] = (npy_int32)(sum[i] / by);
}

static PyObject *least_allocated(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    if (!expect(count, 5, "least_allocated")) return NULL;
    const double *left = data_of(args[0], NPY_DOUBLE, "left");
    const double *scored = left ? data_of(args[1], NPY_DOUBLE, "scored") : NULL;
    const double *divisor = scored ? data_of(args[2], NPY_DOUBLE, "divisor") : NULL;
    const double *weights = divisor ? data_of(args[3], NPY_DOUBLE, "weights") : NULL;
    if (!weights) return NULL;
    double by = PyFloat_AsDouble(args[4]);
    if (by == -1.0 && PyErr_Occurred()) return NULL;
    npy_intp rows = length_of(args[0], 0), n = length_of(args[0], 1);
    if (!expect(length_of(args[1], 0), rows, "scored")
        || !expect(length_of(args[2], 0), rows, "divisor")
        || !expect(length_of(args[2], 1), n, "divisor")
        || !expect(length_of(args[3], 0), rows, "weights")) return NULL;
    PyObject *made = new_array(n, NPY_INT64);
    if (!made) return NULL;
    double sum[PIECE];
    npy_int64 *scores = own_data(made);
    for (npy_intp start = 0; start < n; start += PIECE) {
        npy_intp piece = piece_at(start, n);
        for (npy_intp row = 0; row < rows; row++) {
            npy_intp place = row * n + start;
            add_percents(left + place, scored[row], divisor + place, weights[row], piece, sum, !row);
        }
        divide(sum, by, piece, scores + start);
    }
    return made;
}

WIDE static void balance(const double *used, const double *asked, const double *divisor,
                         npy_intp n, npy_int64 *scores)
{
    for (npy_intp i = 0; i < n; i++) {
        double a = (used[i] + asked[0]) / divisor[i];
        double b = (used[n + i] + asked[1]) / divisor[n + i];
        a = a > 1.0 ? 1.0 : a;
        b = b > 1.0 ? 1.0 : b;
        scores[i] = (npy_int32)((fabs(a - b) * -0.5 + 1.0) * MAX_SCORE);
    }
}

static PyObject *balanced_allocation(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    if (!expect(count, 3, "balanced_allocation")) return NULL;
    const double *used = data_of(args[0], NPY_DOUBLE, "used");
    const double *asked = used ? data_of(args[1], NPY_DOUBLE, "asked") : NULL;
    const double *divisor = asked ? data_of(args[2], NPY_DOUBLE, "divisor") : NULL;
    if (!divisor) return NULL;
    npy_intp n = length_of(args[0], 1);
    if (!expect(length_of(args[0], 0), 2, "used") || !expect(length_of(args[1], 0), 2, "asked")
        || !expect(length_of(args[2], 0), 2, "divisor")
        || !expect(length_of(args[2], 1), n, "divisor")) return NULL;
    PyObject *made = new_array(n, NPY_INT64);
    if (made) balance(used, asked, divisor, n, own_data(made));
    return made;
}

static int add_image(PyObject *given, npy_intp n, double *there)
{
    PyObject *holders;
    double amount;
    if (!PyArg_ParseTuple(given, "Od", &holders, &amount)) return 0;
    const npy_intp *nodes = data_of(holders, NPY_INTP, "nodes");
    if (!nodes) return 0;
    for (npy_intp place = 0; place < length_of(holders, 0); place++) {
        if (!is_node(nodes[place], n)) return 0;
        there[nodes[place]] += amount;
    }
    return 1;
}

WIDE static void scale_images(const double *there, double least, double most, npy_intp n,
                              npy_int64 *scores)
{
    for (npy_intp i = 0; i < n; i++) {
        double bytes = there[i] < least ? least : there[i];
        bytes = bytes > most ? most : bytes;
        scores[i] = (npy_int32)((bytes - least) * MAX_SCORE / (most - least));
    }
}

static PyObject *image_scores(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    if (!expect(count, 4, "image_scores")) return NULL;
    npy_intp n = PyLong_AsSsize_t(args[1]);
    double least = PyFloat_AsDouble(args[2]), most = PyFloat_AsDouble(args[3]);
    if (PyErr_Occurred()) return NULL;
    if (!PyList_CheckExact(args[0])) {
        PyErr_SetString(PyExc_TypeError, "image_scores needs a list of parts");
        return NULL;
    }
    PyObject *made = new_array(n, NPY_INT64);
    double *there = made ? PyMem_Calloc(n ? n : 1, sizeof *there) : NULL;
    if (!there) { Py_XDECREF(made); return PyErr_NoMemory(); }
    int fine = 1;
    for (Py_ssize_t place = 0; fine && place < PyList_GET_SIZE(args[0]); place++)
        fine = add_image(PyList_GET_ITEM(args[0], place), n, there);
    if (fine) scale_images(there, least, most, n, own_data(made));
    else Py_CLEAR(made);
    PyMem_Free(there);
    return made;
}

/* The weights there are by default are known to the compiler, which then need not multiply. */
#define ADD_TIMES(WEIGHT)                                                                       \
    for (npy_intp i = 0; i < n; i++)                                                            \
        total[i] += scores[i] * (WEIGHT)

WIDE static void add_weighted(const npy_int64 *scores, npy_int64 weight, npy_intp n,
                              npy_int64 *total)
{
    switch (weight) {
    case 1: ADD_TIMES(1); break;
    case 2: ADD_TIMES(2); break;
    case 3: ADD_TIMES(3); break;
    default: ADD_TIMES(weight);
    }
}

static PyObject *weighted_sum(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    if (!expect(count, 3, "weighted_sum")) return NULL;
    PyObject *scores = args[0], *weights = args[1];
    if (!PyList_CheckExact(scores) || !PyList_CheckExact(weights)) {
        PyErr_SetString(PyExc_TypeError, "weighted_sum needs lists");
        return NULL;
    }
    npy_intp n = PyLong_AsSsize_t(args[2]);
    if (n == -1 && PyErr_Occurred()) return NULL;
    if (!expect(PyList_GET_SIZE(weights), PyList_GET_SIZE(scores), "weights")) return NULL;
    Py_ssize_t summed = PyList_GET_SIZE(scores);
    if (summed > MOST_SCORES) {
        PyErr_SetString(PyExc_ValueError, "weighted_sum has no room for so many scores");
        return NULL;
    }
    const npy_int64 *values[MOST_SCORES];
    npy_int64 factors[MOST_SCORES];
    for (Py_ssize_t place = 0; place < summed; place++) {
        PyObject *here = PyList_GET_ITEM(scores, place);
        factors[place] = PyLong_AsLongLong(PyList_GET_ITEM(weights, place));
        values[place] = data_of(here, NPY_INT64, "scores");
        if (!values[place] || (factors[place] == -1 && PyErr_Occurred())
            || !expect(length_of(here, 0), n, "scores")) return NULL;
    }
    PyObject *made = PyArray_ZEROS(1, &n, NPY_INT64, 0);
    if (!made) return NULL;
    npy_int64 *total = own_data(made);
    for (npy_intp start = 0; start < n; start += PIECE)
        for (Py_ssize_t place = 0; place < summed; place++)
            add_weighted(values[place] + start, factors[place], piece_at(start, n), total + start);
    return made;
}

#define LOOP(name) {#name, (PyCFunction)(void (*)(void))name, METH_FASTCALL, NULL}

static PyMethodDef LOOPS[] = {
    LOOP(fits), LOOP(all_of), LOOP(least_allocated), LOOP(balanced_allocation), LOOP(scaled_to_top),
    LOOP(weighted_sum), LOOP(count_by_label), LOOP(within_skew), LOOP(spread), LOOP(between_extremes),
    LOOP(pulled), LOOP(looked_up), LOOP(values_on), LOOP(image_scores), LOOP(count_by_node),
    LOOP(count_listed),
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef MODULE = {
    PyModuleDef_HEAD_INIT, .m_name = "compiled", .m_size = -1, .m_methods = LOOPS,
};

PyMODINIT_FUNC PyInit_compiled(void)
{
    import_array();
    return PyModule_Create(&MODULE);
}
