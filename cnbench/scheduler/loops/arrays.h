/* numpy's arrays as what the loops need of them: checked, contiguous, one type each. */

#ifndef CNBENCH_ARRAYS_H
#define CNBENCH_ARRAYS_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#define NPY_NO_DEPRECATED_API NPY_1_22_API_VERSION
#define NPY_TARGET_VERSION NPY_1_22_API_VERSION
#define PY_ARRAY_UNIQUE_SYMBOL cnbench_arrays
#include <numpy/arrayobject.h>

/* The same source for processors with wider registers, chosen when it is loaded. */
#if defined(__x86_64__) && defined(__gnu_linux__) && defined(__has_attribute)
#if __has_attribute(target_clones)
#define WIDE __attribute__((target_clones("avx2", "default")))
#endif
#endif
#ifndef WIDE
#define WIDE
#endif

/* Put into whoever calls it, and so compiled for what that gives it: a mask, or none. */
#if defined(__GNUC__)
#define INLINE static inline __attribute__((always_inline))
#else
#define INLINE static inline
#endif

/* Nodes are gone through in pieces of so many, so that what is between loops stays near. */
#define PIECE 1024

static inline npy_intp piece_at(npy_intp start, npy_intp n)
{
    return n - start < PIECE ? n - start : PIECE;
}

/* The array's data, or NULL with an exception: it must have this type and lie in one piece. */
static void *data_of(PyObject *given, int type, const char *name)
{
    if (PyArray_Check(given)) {
        PyArrayObject *array = (PyArrayObject *)given;
        if (PyArray_TYPE(array) == type && PyArray_IS_C_CONTIGUOUS(array))
            return PyArray_DATA(array);
    }
    PyErr_Format(PyExc_TypeError, "%s must be a contiguous array of its type", name);
    return NULL;
}

/* The length along an axis; of fewer axes 1. */
static npy_intp length_of(PyObject *given, int axis)
{
    PyArrayObject *array = (PyArrayObject *)given;
    return axis < PyArray_NDIM(array) ? PyArray_DIM(array, axis) : 1;
}

/* Hold that there are so many arguments, or lengths; 0 with an exception otherwise. */
static int expect(npy_intp found, npy_intp wanted, const char *what)
{
    if (found == wanted)
        return 1;
    PyErr_Format(PyExc_ValueError, "%s: %zd where %zd are needed", what,
                 (Py_ssize_t)found, (Py_ssize_t)wanted);
    return 0;
}

/* Hold that there is such a node; 0 with an exception otherwise. */
static inline int is_node(npy_intp node, npy_intp n)
{
    if (0 <= node && node < n)
        return 1;
    PyErr_SetString(PyExc_IndexError, "there is no such node");
    return 0;
}

static PyObject *new_array(npy_intp length, int type)
{
    return PyArray_SimpleNew(1, &length, type);
}

static void *own_data(PyObject *made)
{
    return PyArray_DATA((PyArrayObject *)made);
}

#endif
