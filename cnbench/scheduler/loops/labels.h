/* What `labels.c` and `parts.c` give the module; see `by_numpy.py`. */

#ifndef CNBENCH_LABELS_H
#define CNBENCH_LABELS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

PyObject *count_by_label(PyObject *self, PyObject *const *args, Py_ssize_t count);
PyObject *values_on(PyObject *self, PyObject *const *args, Py_ssize_t count);
PyObject *within_skew(PyObject *self, PyObject *const *args, Py_ssize_t count);
PyObject *spread(PyObject *self, PyObject *const *args, Py_ssize_t count);
PyObject *between_extremes(PyObject *self, PyObject *const *args, Py_ssize_t count);
PyObject *marked(PyObject *self, PyObject *const *args, Py_ssize_t count);
PyObject *pulled(PyObject *self, PyObject *const *args, Py_ssize_t count);

#endif
