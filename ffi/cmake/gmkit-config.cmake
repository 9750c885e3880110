# Targets gmkit::gmkit (shared) and gmkit::static, as installed by `cargo xtask install`.
get_filename_component(_gmkit_prefix "${CMAKE_CURRENT_LIST_DIR}/../../.." ABSOLUTE)

if(EXISTS "${_gmkit_prefix}/lib/libgmkit.so.0" AND NOT TARGET gmkit::gmkit)
  add_library(gmkit::gmkit SHARED IMPORTED)
  set_target_properties(gmkit::gmkit PROPERTIES
    IMPORTED_LOCATION "${_gmkit_prefix}/lib/libgmkit.so.0"
    IMPORTED_SONAME "libgmkit.so.0"
    INTERFACE_INCLUDE_DIRECTORIES "${_gmkit_prefix}/include")
endif()

if(NOT TARGET gmkit::static)
  find_package(Threads REQUIRED)
  add_library(gmkit::static STATIC IMPORTED)
  set_target_properties(gmkit::static PROPERTIES
    IMPORTED_LOCATION "${_gmkit_prefix}/lib/libgmkit.a"
    INTERFACE_INCLUDE_DIRECTORIES "${_gmkit_prefix}/include"
    INTERFACE_LINK_LIBRARIES "Threads::Threads;${CMAKE_DL_LIBS};m")
endif()

unset(_gmkit_prefix)
