include_guard()

# fuzz_request.c stands in for the functions of sockets and of the database
function(walras_fuzz_request_wraps target)
    foreach(function MHD_lookup_connection_value MHD_basic_auth_get_username_password db_query
            db_audit db_begin db_end db_pool_take db_pool_give db_token_issue api_commit_submit
            api_worker_wake)
        target_link_options(${target} PRIVATE -Wl,--wrap=${function})
    endforeach()
endfunction()
