/* The loops that bring scores to 0 .. 100. */

#define NO_IMPORT_ARRAY
#include "arrays.h"
#include "labels.h"

#define MAX_SCORE 100
/* Scores over a range no wider than this are worked out once a value. */
#define TABLE 4096

WIDE void extremes(const npy_int64 *raw, npy_intp n, npy_int64 *least, npy_int64 *most)
{
    npy_int64 low = *least, high = *most;
    for (npy_intp i = 0; i < n; i++) {
        high = raw[i] > high ? raw[i] : high;
        low = raw[i] < low ? raw[i] : low;
    }
    *least = low;
    *most = high;
}

/* 100 * (most + least - score) / most; 100 where the most is 0. */
void reverse_all(const npy_int64 *raw, npy_intp n, npy_int64 least, npy_int64 most,
                 npy_int64 *scores)
{
    npy_int64 table[TABLE];
    int tabled = most && most - least < TABLE;
    for (npy_int64 score = least; tabled && score <= most; score++)
        table[score - least] = MAX_SCORE * (most + least - score) / most;
    if (tabled)
        for (npy_intp i = 0; i < n; i++)
            scores[i] = table[raw[i] - least];
    else
        for (npy_intp i = 0; i < n; i++)
            scores[i] = most ? MAX_SCORE * (most + least - raw[i]) / most : MAX_SCORE;
}

/* 100 * score / top, or 100 less that. */
static npy_int64 scaled_score(npy_int64 score, npy_int64 top, int reverse)
{
    npy_int64 share = MAX_SCORE * score / top;
    return reverse ? MAX_SCORE - share : share;
}

PyObject *scaled_to_top(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    if (!expect(count, 2, "scaled_to_top")) return NULL;
    const npy_int64 *scores = data_of(args[0], NPY_INT64, "scores");
    int reverse = scores ? PyObject_IsTrue(args[1]) : -1;
    if (reverse < 0) return NULL;
    npy_intp n = length_of(args[0], 0);
    npy_int64 top = 0, least = 0, table[TABLE + 1];
    extremes(scores, n, &least, &top);
    if (least < 0) {
        PyErr_SetString(PyExc_ValueError, "scores must not be negative");
        return NULL;
    }
    PyObject *made = new_array(n, NPY_INT64);
    if (!made) return NULL;
    npy_int64 *scaled = own_data(made);
    if (top > TABLE) {
        for (npy_intp i = 0; i < n; i++)
            scaled[i] = scaled_score(scores[i], top, reverse);
        return made;
    }
    table[0] = reverse ? MAX_SCORE : 0;
    for (npy_int64 score = 1; score <= top; score++)
        table[score] = scaled_score(score, top, reverse);
    for (npy_intp i = 0; i < n; i++)
        scaled[i] = table[scores[i]];
    return made;
}

WIDE static void shares(const npy_int64 *raw, npy_int64 least, double span, npy_intp n,
                        npy_int64 *scores)
{
    if (span < 2147483648.0) /* processors convert 32 bits several at a time */
        for (npy_intp i = 0; i < n; i++)
            scores[i] = (npy_int32)((double)(npy_int32)(raw[i] - least) / span * MAX_SCORE);
    else
        for (npy_intp i = 0; i < n; i++)
            scores[i] = (npy_int32)((double)(raw[i] - least) / span * MAX_SCORE);
}

PyObject *between_extremes(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    if (!expect(count, 2, "between_extremes")) return NULL;
    const npy_int64 *raw = data_of(args[0], NPY_INT64, "raw");
    int from_zero = raw ? PyObject_IsTrue(args[1]) : -1;
    if (from_zero < 0) return NULL;
    npy_intp n = length_of(args[0], 0);
    npy_int64 most = from_zero || !n ? 0 : raw[0], least = most;
    extremes(raw, n, &least, &most);
    if (most == least) Py_RETURN_NONE;
    PyObject *made = new_array(n, NPY_INT64);
    if (made) shares(raw, least, (double)(most - least), n, own_data(made));
    return made;
}
