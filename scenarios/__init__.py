"""The scenarios that come with stressrunner, as data of the package."""
