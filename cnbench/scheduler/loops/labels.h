/* What the other files give the module (see `by_numpy.py`), and `scales.c` gives them. */

#ifndef CNBENCH_LABELS_H
#define CNBENCH_LABELS_H

#include "arrays.h"

PyObject *count_by_label(PyObject *self, PyObject *const *args, Py_ssize_t count);
PyObject *values_on(PyObject *self, PyObject *const *args, Py_ssize_t count);
PyObject *count_by_node(PyObject *self, PyObject *const *args, Py_ssize_t count);
PyObject *count_listed(PyObject *self, PyObject *const *args, Py_ssize_t count);
PyObject *within_skew(PyObject *self, PyObject *const *args, Py_ssize_t count);
PyObject *spread(PyObject *self, PyObject *const *args, Py_ssize_t count);
PyObject *scaled_to_top(PyObject *self, PyObject *const *args, Py_ssize_t count);
PyObject *between_extremes(PyObject *self, PyObject *const *args, Py_ssize_t count);
PyObject *looked_up(PyObject *self, PyObject *const *args, Py_ssize_t count);
PyObject *pulled(PyObject *self, PyObject *const *args, Py_ssize_t count);

/* Widen what is known of the least and the most by these scores. */
void extremes(const npy_int64 *raw, npy_intp n, npy_int64 *least, npy_int64 *most);
void reverse_all(const npy_int64 *raw, npy_intp n, npy_int64 least, npy_int64 most,
                 npy_int64 *scores);

#endif
