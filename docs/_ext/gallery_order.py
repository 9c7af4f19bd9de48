"""The order of the examples: what a new user wants first comes first."""

from sphinx_gallery.sorting import FileNameSortKey

ORDER = """
plot_first_fit plot_accuracy_size plot_read_the_model plot_explain
plot_grid_search plot_few_labels plot_class_weight plot_many_classes
plot_columns plot_tokenizer plot_join_tables
plot_save_and_load plot_without_torch plot_export
plot_time_series plot_gates plot_language_model plot_manifold plot_regression
plot_planted_patterns plot_semirings plot_penalty
""".split()


class ExampleOrder(FileNameSortKey):
    """Sort key of sphinx-gallery; what isn't named comes last."""

    def __call__(self, filename: str) -> tuple[int, str]:
        stem = filename.removesuffix(".py")
        return (ORDER.index(stem) if stem in ORDER else len(ORDER)), stem
